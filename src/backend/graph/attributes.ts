import { type TracedAttribute, type TracedDtype, type TracedEdge, type TracedOperation, tensorflowTypes } from './traced.js';
import { portOf } from './traces.js';

export function typeAttribute(name: string, dtype: TracedDtype): TracedAttribute {
  return { name, kind: 'type', value: tensorflowTypes[dtype] };
}

/** Type attributes that the eager interface infers but a graph must specify, by operation: attribute and input. */
const INFERRED: Readonly<Record<string, readonly (readonly [attribute: string, input: number])[]>> = {
  ExpandDims: [
    ['T', 0],
    ['Tdim', 1],
  ],
};

/** The attributes of an operation, plus those that a graph requires. */
export function completeAttributes({ op, attributes, inputs }: TracedOperation): readonly TracedAttribute[] {
  const given = new Set(attributes.map(({ name }) => name));
  const inferred = (INFERRED[op] ?? []).filter(([name]) => !given.has(name));
  return [...attributes, ...inferred.map(([name, input]) => typeAttribute(name, portOf(inputs[input] as TracedEdge).dtype))];
}
