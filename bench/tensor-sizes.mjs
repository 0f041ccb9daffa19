/**
 * The largest tensors of a pass, as a WebGPU device would have to hold them: the portable operations, except deformable attention,
 * run by TensorFlow on the CPU.
 *
 *   node bench/tensor-sizes.mjs [detector|train-step|masker|sam] [image side of the detector, or boxes] [largest MB of a tensor]
 *
 * Prints the largest, and each kernel whose result has more than half of the limit. Default: 128 MB, which every device supports.
 */
import { dist, prepare } from './lib/dist.mjs';
import { randomDetector, randomMasker, randomSam } from './lib/random-models.mjs';
import { trainStep } from './lib/train-step.mjs';

const [work = 'detector', size = work === 'masker' ? '8' : '800', megabytes = '128'] = process.argv.slice(2);
process.env.SONOGROUND_TENSOR_MB = megabytes;
await prepare();
const { initBackend, tf } = await dist('backend/index.js');
const { inference } = await dist('nn/index.js');
if ((await initBackend('tensorflow')) !== 'tensorflow') throw new Error('only the native backend can run a whole model');
const seen = watchKernels();
await { detector, 'train-step': training, masker, sam }[work]();
tell();

/** Takes away what WebGPU does not have, and notes the size of every result. */
function watchKernels() {
  const found = new Map();
  for (const kernel of tf.getKernelsForBackend('tensorflow')) {
    const { kernelName, kernelFunc } = kernel;
    tf.unregisterKernel(kernelName, 'tensorflow');
    if (/^Sonoground(?!Deformable)/.test(kernelName)) continue;
    tf.registerKernel({
      ...kernel,
      kernelFunc: (call) => {
        const results = kernelFunc(call);
        for (const { shape } of [results].flat()) {
          const mb = (4 * shape.reduce((a, b) => a * b, 1)) / 2 ** 20;
          const name = `${kernelName} [${shape}]`;
          found.set(name, { mb, times: (found.get(name)?.times ?? 0) + 1 });
        }
        return results;
      },
    });
  }
  return found;
}

async function detector() {
  const { model, inputs } = await randomDetector(Number(size));
  await model.forward(inputs, inference).layers.at(-1).predBoxes.data();
}

async function training() {
  const { model, inputs } = await randomDetector(Number(size));
  await (await trainStep(model, inputs, 'paper-code')).run();
}

async function masker() {
  const { model, pixelValues, boxes } = await randomMasker();
  const features = model.encodeImage(pixelValues, inference);
  const asked = tf.slice(boxes, [0, 0, 0], [1, Number(size), 4]);
  await model.decodeMasks({ features, boxes: asked, multimask: true }, inference).predMasks.data();
}

async function sam() {
  const { model, pixelValues } = await randomSam();
  await model.encodeImage(pixelValues, inference).embeddings.data();
}

function tell() {
  const sorted = [...seen].sort(([, a], [, b]) => b.mb - a.mb);
  console.log(`${work} ${size}: the largest tensor has ${sorted[0][1].mb.toFixed(1)} MB, the limit is ${megabytes} MB`);
  for (const [name, { mb, times }] of sorted.filter(([, { mb }]) => mb > Number(megabytes) / 2))
    console.log(`  ${mb.toFixed(1)} MB, ${times} times: ${name}`);
}
