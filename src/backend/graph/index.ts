export { completeAttributes, typeAttribute } from './attributes.js';
export { CapturedFunction, type NamedTensors } from './captured-function.js';
export { CompiledGraph, usedFeeds } from './compiled-graph.js';
export type { ConstantValues, Graph, GraphNode, GraphPort, Saver, Signature, Variable } from './graph.js';
export { DT_STRING, savedModelMessage } from './graph-def.js';
export { canRunGraphs } from './native-graph.js';
export { isRecording, NotRecordable, Recorder } from './recorder.js';
export { trace } from './trace.js';
export {
  type Trace,
  type TracedAttribute,
  type TracedConstant,
  type TracedDtype,
  type TracedEdge,
  type TracedInput,
  type TracedNode,
  type TracedOperation,
  tensorflowTypes,
} from './traced.js';
export { needed, portOf } from './traces.js';
