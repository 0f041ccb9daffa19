import type { GraphPort } from './graph.js';
import type { Trace, TracedEdge, TracedNode, TracedOperation } from './traced.js';

/** Type and shape of an edge. */
export function portOf({ node, output }: TracedEdge): Pick<GraphPort, 'dtype' | 'shape'> {
  if (node.kind !== 'operation') return node;
  return { dtype: node.dtypes[output] as GraphPort['dtype'], shape: node.shapes[output] as readonly number[] };
}

/** The operations that outputs depend on, in order. */
export function needed({ operations, outputs }: Trace): TracedOperation[] {
  const wanted = new Set<TracedNode>([...outputs.values()].map(({ node }) => node));
  for (const operation of [...operations].reverse()) {
    if (wanted.has(operation)) for (const { node } of operation.inputs) wanted.add(node);
  }
  return operations.filter((operation) => wanted.has(operation));
}
