import { sizeOf } from '../../util/index.js';
import { tf } from '../tf.js';

interface SelectCall {
  readonly inputs: Readonly<Record<'condition' | 't' | 'e', tf.TensorInfo>>;
  readonly backend: unknown;
}

const SELECT = 'Select';

let repaired = false;

/** Replaces WebGL's select, which supports at most four axes, by one for any rank: for equal shapes it needs none of them. */
export function repairWebglKernels(): void {
  if (repaired) return;
  repaired = true;
  const stock = tf.getKernel(SELECT, 'webgl').kernelFunc as unknown as (call: SelectCall) => tf.TensorInfo;
  const flat = ({ dataId, shape, dtype }: tf.TensorInfo) => ({ dataId, shape: [sizeOf(shape)], dtype });
  const kernelFunc = (call: SelectCall) => {
    const { condition, t, e } = call.inputs;
    if (condition.shape.length !== t.shape.length) return stock(call);
    const chosen = stock({ ...call, inputs: { condition: flat(condition), t: flat(t), e: flat(e) } });
    return { ...chosen, shape: t.shape };
  };
  tf.unregisterKernel(SELECT, 'webgl');
  tf.registerKernel({ kernelName: SELECT, backendName: 'webgl', kernelFunc: kernelFunc as unknown as tf.KernelFunc });
}
