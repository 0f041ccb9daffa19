/**
 * Our process of run.mjs, with the protocol of bench/side.py; its passes also answer with their stages. Arguments: kind of process,
 * folder of the model that the reference made, or `random`, side, batch, backend, model.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from '../../scripts/lib/places.mjs';
import { gigaflops, matrixRate } from './arithmetic.mjs';
import { deviceMemoryMb, deviceName } from './device.mjs';
import { dist } from './dist.mjs';
import { randomDetector, randomMasker } from './random-models.mjs';
import { stageClock } from './stage-clock.mjs';
import { trainStep } from './train-step.mjs';

const [work, folder, side, batch, wanted = 'auto', size = 'tiny'] = process.argv.slice(2);
const { describeBackend, hasNativeLinear, initBackend, nativeLinear, nativeOps, tf } = await dist('backend/index.js');
const { groundingDinoToHuggingFace } = await dist('models/grounding-dino/index.js');
const { inference } = await dist('nn/index.js');
const { readSafetensors, writeSafetensors } = await dist('weights/formats/index.js');
const backend = await initBackend(wanted, undefined, work === 'train-step' ? 'training' : 'inference');

const makers = { detector, masker, 'train-step': training };
const passes = await makers[work]();
const version = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
console.log(JSON.stringify({ version, precision: 'float32', native: nativeOps().names }));
for await (const line of createInterface({ input: process.stdin })) {
  const reply = await answer(line.trim()).catch((error) => ({ refused: error.message }));
  console.log(JSON.stringify(reply));
}

async function answer(question) {
  if (question === 'rate') {
    const facts = await describeBackend();
    const rate = backend === 'tensorflow' ? matrixRate(tf, hasNativeLinear() ? nativeLinear : undefined) : facts.gflops;
    return { rate, backend, device: deviceName(facts) };
  }
  if (question.startsWith('save ')) {
    const [, what, file] = question.split(' ');
    await passes(what, inference, (outputs) => save(outputs, file));
    return { saved: file };
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

/** Writes tensors, which have the names and the layout of the reference. */
async function save(outputs, file) {
  const arrays = new Map();
  for (const [name, tensor] of Object.entries(outputs))
    arrays.set(name, { dtype: 'float32', shape: tensor.shape, data: await tensor.data() });
  await writeSafetensors(file, arrays);
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
  const ask = async (context, keep) => {
    const text = model.encodeText(inputs, context);
    const answer = model.detect(image, text, context);
    await answer.layers.at(-1).predBoxes.data();
    if (keep !== undefined) {
      const { logits, predBoxes } = groundingDinoToHuggingFace(answer, inputs.attentionMask, model.config);
      await keep({ logits, pred_boxes: predBoxes });
      tf.dispose([logits, predBoxes]);
    }
    tf.dispose([text, answer]);
  };
  return async (question, stock, keep) => {
    const context = named(stock, model);
    const [what, count] = question.split(' ');
    if (what !== 'prompt') look(context);
    if (what !== 'look') for (let i = 0; i < Number(count ?? 1); i++) await ask(context, keep);
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
  return async (question, context, keep) => {
    if (question === 'encode') {
      if (features !== undefined) tf.dispose({ ...features });
      features = model.encodeImage(pixelValues, named(context, model));
      await features.embeddings.data();
      if (keep === undefined) return;
      const { highRes0, highRes1, embeddings } = features;
      const maps = [highRes0, highRes1, embeddings].map((map) => tf.transpose(map, [0, 3, 1, 2]));
      await keep(Object.fromEntries(maps.map((map, i) => [`image_embeddings.${i}`, map])));
      tf.dispose(maps);
      return;
    }
    const asked = tf.slice(boxes, [0, 0, 0], [1, Number(question), 4]);
    const masks = model.decodeMasks({ features, boxes: asked, multimask: false }, named(context, model));
    await masks.predMasks.data();
    await keep?.({ pred_masks: masks.predMasks, iou_scores: masks.iouScores, object_score_logits: masks.objectScoreLogits });
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
