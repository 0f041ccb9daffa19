/**
 * Our side of the benches, as a process like the reference's: says its name, then answers each line with the seconds and the
 * memory of one pass, by stage. Arguments: work, folder of models that the reference made or `random`, side, batch, backend, model.
 */
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { gigaflops, matrixRate } from './arithmetic.mjs';
import { deviceMemoryMb, deviceName } from './device.mjs';
import { dist } from './dist.mjs';
import { randomDetector, randomMasker } from './random-models.mjs';
import { stageClock } from './stage-clock.mjs';
import { trainStep } from './train-step.mjs';

const [work, folder, side, batch, wanted = 'auto', size = 'tiny'] = process.argv.slice(2);
const { describeBackend, hasNativeLinear, initBackend, nativeLinear, nativeOps, tf } = await dist('backend/index.js');
const { inference } = await dist('nn/index.js');
const { readSafetensors } = await dist('weights/formats/index.js');
const backend = await initBackend(wanted, undefined, work === 'train-step' ? 'training' : 'inference');

const makers = { detector, masker, 'train-step': training };
const passes = await makers[work]();
console.log(`sonoground (native: ${nativeOps().names.join(', ') || 'none'})`);
for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(await answer(line.trim())));

async function answer(question) {
  if (question === 'rate') {
    const facts = await describeBackend();
    const rate = backend === 'tensorflow' ? matrixRate(tf, hasNativeLinear() ? nativeLinear : undefined) : facts.gflops;
    return { rate, backend, device: deviceName(facts) };
  }
  if (question.startsWith('floor ')) return { gflop: await gigaflops(tf, () => passes(question.slice(6), inference)) };
  const clock = stageClock();
  const [begin, used] = [performance.now(), process.cpuUsage()];
  const more = await passes(question, clock.context(inference));
  const seconds = (performance.now() - begin) / 1000;
  const { user, system } = process.cpuUsage(used);
  const peakMb = process.resourceUsage().maxRSS / 1000;
  return {
    seconds,
    cpuSeconds: (user + system) / 1e6,
    peakMb,
    ...deviceMemoryMb(tf),
    stages: more ?? clock.stages(),
    blocks: clock.blocks(),
  };
}

async function inputsIn() {
  const { arrays } = await readSafetensors(join(folder, 'inputs.safetensors'));
  return (name) => tf.tensor(arrays.get(name).data, arrays.get(name).shape, arrays.get(name).dtype);
}

/** The reference's model and inputs, or random ones. */
async function detectorParts() {
  if (folder === 'random') return randomDetector(Number(side), Number(batch), size);
  const { loadGroundingDino, readModelConfig, groundingDinoConfigs } = await dist('pretrained/index.js');
  const model = await loadGroundingDino(folder, await readModelConfig(folder, groundingDinoConfigs));
  const tensor = await inputsIn();
  const inputs = {
    pixelValues: tf.transpose(tensor('pixel_values'), [0, 2, 3, 1]),
    inputIds: tensor('input_ids'),
    attentionMask: tensor('attention_mask'),
    tokenTypeIds: tensor('token_type_ids'),
  };
  return { model, inputs };
}

async function detector() {
  const { model, inputs } = await detectorParts();
  let image;
  const look = (context) => {
    if (image !== undefined) tf.dispose(image);
    image = model.encodeImage(inputs, context);
  };
  const ask = async (context) => {
    const text = model.encodeText(inputs, context);
    const answer = model.detect(image, text, context);
    await answer.layers.at(-1).predBoxes.data();
    tf.dispose([text, answer]);
  };
  return async (question, stock) => {
    const context = named(stock, model);
    const [what, count] = question.split(' ');
    if (what !== 'prompt') look(context);
    if (what !== 'look') for (let i = 0; i < Number(count ?? 1); i++) await ask(context);
  };
}

async function maskerParts() {
  if (folder === 'random') return randomMasker(size);
  const { loadSam2Masker } = await dist('pretrained/index.js');
  const { model } = await loadSam2Masker(folder);
  const tensor = await inputsIn();
  return { model, pixelValues: tf.transpose(tensor('pixel_values'), [0, 2, 3, 1]), boxes: tensor('input_boxes') };
}

async function masker() {
  const { model, pixelValues, boxes } = await maskerParts();
  let features;
  return async (question, context) => {
    if (question === 'encode') {
      if (features !== undefined) tf.dispose({ ...features });
      features = model.encodeImage(pixelValues, named(context, model));
      await features.embeddings.data();
      return;
    }
    const asked = tf.slice(boxes, [0, 0, 0], [1, Number(question), 4]);
    const masks = model.decodeMasks({ features, boxes: asked, multimask: false }, named(context, model));
    await masks.predMasks.data();
    tf.dispose([asked, { ...masks }]);
  };
}

async function training() {
  const { model, inputs } = await detectorParts();
  const step = await trainStep(model, inputs, 'paper-code');
  return () => step.run();
}

function named(context, model) {
  return context.forModel?.(model) ?? context;
}
