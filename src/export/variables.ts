import {
  DT_STRING,
  type Graph,
  type GraphNode,
  type Saver,
  type TracedAttribute,
  typeAttribute,
  type Variable,
} from '../backend/index.js';

export const SAVER: Saver = { filename: 'save/Const', save: 'save/control_dependency', restore: 'save/restore_all' };

const FLOAT = typeAttribute('dtype', 'float32');

/**
 * Replaces weights by variables, and adds the nodes that restore and save them, like TensorFlow's own `Saver`. The graph then
 * stays small whatever the model's size, and TensorFlow holds weights once, whereas it copies constants several times.
 */
export function withVariables({ nodes, signatures }: Graph): { graph: Graph; variables: Variable[]; saver: Saver } {
  const variables: Variable[] = [];
  const body = nodes.flatMap((node): GraphNode[] => {
    const { name, constant } = node;
    if (constant === undefined || !constant.weight || constant.dtype !== 'float32') return [node];
    const handle = `variables/${name}`;
    variables.push({ name, shape: constant.shape, handle, read: name, assign: `save/assign/${name}` });
    return [variable(handle, name, constant.shape), { name, op: 'ReadVariableOp', inputs: [handle], attributes: [FLOAT] }];
  });
  if (variables.length === 0) return { graph: { nodes, signatures }, variables, saver: SAVER };
  const reads = variables.map(({ read }) => read);
  const graph = { nodes: [...body, ...filename('model'), ...saving(variables, reads), ...restoring(variables)], signatures };
  return { graph, variables, saver: SAVER };
}

function variable(name: string, sharedName: string, shape: readonly number[]): GraphNode {
  const attributes: TracedAttribute[] = [
    FLOAT,
    { name: 'shape', kind: 'shape', value: shape },
    { name: 'shared_name', kind: 'string', value: sharedName },
    { name: 'container', kind: 'string', value: '' },
  ];
  return { name, op: 'VarHandleOp', inputs: [], attributes };
}

const STRING: TracedAttribute = { name: 'dtype', kind: 'type', value: DT_STRING };

function textConstant(name: string, text: string | readonly string[]): GraphNode {
  return { name, op: 'Const', inputs: [], attributes: [STRING], text };
}

/**
 * The nodes that hold the path of the variable files; TensorFlow feeds the placeholder with their place in the model's folder.
 */
export function filename(path: string): GraphNode[] {
  const shape: TracedAttribute = { name: 'shape', kind: 'shape', value: [] };
  return [
    textConstant('save/filename', path),
    { name: SAVER.filename, op: 'PlaceholderWithDefault', inputs: ['save/filename'], attributes: [STRING, shape] },
  ];
}

/** Nodes common to both: the names of the tensors, each of them unsliced. */
function listed(scope: string, variables: readonly Variable[]): { nodes: GraphNode[]; dtypes: TracedAttribute } {
  const names = variables.map(({ name }) => name);
  return {
    nodes: [textConstant(`${scope}/tensor_names`, names), textConstant(`${scope}/shape_and_slices`, names.map(() => ''))], // biome-ignore format: short
    dtypes: { name: 'dtypes', kind: 'type', value: names.map(() => FLOAT.value) },
  };
}

/** The nodes that save values as variables. */
export function saving(variables: readonly Variable[], values: readonly string[]): GraphNode[] {
  const scope = 'save/SaveV2';
  const { nodes, dtypes } = listed(scope, variables);
  const inputs = [SAVER.filename, ...nodes.map(({ name }) => name), ...values];
  const done = { name: 'T', kind: 'type', value: DT_STRING } as const;
  return [
    ...nodes,
    { name: scope, op: 'SaveV2', inputs, attributes: [dtypes] },
    { name: SAVER.save, op: 'Identity', inputs: [SAVER.filename, `^${scope}`], attributes: [done] },
  ];
}

function restoring(variables: readonly Variable[]): GraphNode[] {
  const scope = 'save/RestoreV2';
  const { nodes, dtypes } = listed(scope, variables);
  const inputs = [SAVER.filename, ...nodes.map(({ name }) => name)];
  const assigns = variables.map(({ handle, assign }, k) => ({
    name: assign,
    op: 'AssignVariableOp',
    inputs: [handle, k === 0 ? scope : `${scope}:${k}`],
    attributes: [FLOAT],
  }));
  return [
    ...nodes,
    { name: scope, op: 'RestoreV2', inputs, attributes: [dtypes] },
    ...assigns,
    { name: SAVER.restore, op: 'NoOp', inputs: variables.map(({ assign }) => `^${assign}`), attributes: [] },
  ];
}
