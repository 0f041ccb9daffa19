/** The methods of the comparison as works of our side: one image, from tensors to logits, as their predictors compute it. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { dist } from './dist.mjs';

/** Those whose predictors run no graphs. */
export const WITHOUT_GRAPHS = ['universeg', 'medclip-sam', 'medclip-samv2'];

/** The reference's weights and inputs; or the random weights of methods, and inputs made from shapes. */
async function from(folder, shapes) {
  const { tf } = await dist('backend/index.js');
  const { Rng } = await dist('util/index.js');
  const made = ({ shape, ids, values }) => {
    if (values !== undefined) return tf.tensor(values, shape, 'float32');
    return ids === undefined
      ? tf.tidy(() => tf.sigmoid(tf.randomNormal(shape, 0, 1, 'float32', 1)))
      : tf.tensor(ids, shape, 'int32');
  };
  if (folder === 'random') return { rng: Rng.seeded(0), input: (name) => made(shapes[name]) };
  const { readSafetensors } = await dist('weights/formats/index.js');
  const { arrays } = await readSafetensors(join(folder, 'inputs.safetensors'));
  const weights = readdirSync(folder).find((name) => /[.](pt|pth|bin)$/.test(name));
  const input = (name) => tf.tensor(arrays.get(name).data, arrays.get(name).shape, arrays.get(name).dtype);
  return { path: weights === undefined ? folder : join(folder, weights), input };
}

async function universeg({ folder }) {
  const { tf } = await dist('backend/index.js');
  const { inference } = await dist('nn/index.js');
  const { loadUniverSeg, randomUniverSeg } = await dist('pretrained/index.js');
  const [image, support] = [{ shape: [1, 1, 128, 128] }, { shape: [1, 16, 1, 128, 128] }];
  const { path, rng, input } = await from(folder, { target: image, support_images: support, support_masks: support });
  const { model } = path === undefined ? randomUniverSeg(rng) : await loadUniverSeg(path);
  const target = input('target');
  // Once for all images, as in the predictor.
  const encoded = model.encodeSupport(input('support_images'), input('support_masks'), inference);
  return async (_question, _inParts, keep) => {
    const logits = tf.tidy(() => model.decode(target, encoded, inference));
    await logits.data();
    await keep?.({ logits });
    logits.dispose();
  };
}

/** SAM or SAMUS, with one prompt. */
async function masking(model, pixelValues, prompts) {
  const { tf } = await dist('backend/index.js');
  return async (_question, inParts, keep) => {
    const { run } = inParts(model);
    const features = run('image', { pixelValues }, (given, context) => model.encodeImage(given.pixelValues, context));
    const masks = run('masks', { features, ...prompts, multimask: false }, (given, context) => model.decodeMasks(given, context));
    await masks.predMasks.data();
    await keep?.({ pred_masks: masks.predMasks, iou_scores: masks.iouScores });
    tf.dispose([{ ...features }, { ...masks }]);
  };
}

async function samus({ folder }) {
  const { tf } = await dist('backend/index.js');
  const { loadSamus, randomSamus } = await dist('pretrained/index.js');
  const { path, rng, input } = await from(folder, {
    pixel_values: { shape: [1, 3, 256, 256] },
    input_points: { shape: [1, 1, 1, 2], values: [100, 140] },
    input_labels: { shape: [1, 1, 1], ids: [1] },
  });
  const { model } = path === undefined ? randomSamus(rng) : await loadSamus(path);
  const pixelValues = tf.transpose(input('pixel_values'), [0, 2, 3, 1]);
  return masking(model, pixelValues, { points: input('input_points'), labels: input('input_labels') });
}

async function medsam({ folder }) {
  const { tf } = await dist('backend/index.js');
  const { loadSamMasker, randomSam } = await dist('pretrained/index.js');
  const { path, rng, input } = await from(folder, {
    pixel_values: { shape: [1, 3, 1024, 1024] },
    input_boxes: { shape: [1, 1, 4], values: [100, 200, 500, 700] },
  });
  const { model } = path === undefined ? randomSam('base', rng) : await loadSamMasker(path);
  return masking(model, tf.transpose(input('pixel_values'), [0, 2, 3, 1]), { boxes: input('input_boxes') });
}

/** A BiomedCLIP, an image, and the ids of a text. */
async function biomedClip(folder, others = {}) {
  const { tf } = await dist('backend/index.js');
  const { biomedClipConfigs, loadBiomedClipModel, randomBiomedClip, readModelConfig } = await dist('pretrained/index.js');
  const { path, rng, input } = await from(folder, {
    pixel_values: { shape: [1, 3, 224, 224] },
    input_ids: { shape: [1, 6], ids: [2, 43, 1977, 2345, 12, 3] },
    ...others,
  });
  const loaded = async () => loadBiomedClipModel(path, await readModelConfig(path, biomedClipConfigs));
  const model = path === undefined ? (await randomBiomedClip(rng)).model : await loaded();
  model.setTrainable(false);
  return { model, input, pixelValues: tf.transpose(input('pixel_values'), [0, 2, 3, 1]), inputIds: input('input_ids') };
}

async function medclipSam({ folder }) {
  const { tf } = await dist('backend/index.js');
  const { inference } = await dist('nn/index.js');
  const { scoreCam } = await dist('infer/medclip-sam/score-cam.js');
  const { model, pixelValues, inputIds } = await biomedClip(folder);
  return async (_question, _inParts, keep) => {
    const textFeatures = model.text.forward({ inputIds }, inference);
    const map = tf.tensor(await scoreCam(model, { pixelValues, textFeatures }, { norm: 'norm2', channels: 300, batch: 10 }));
    await keep?.({ map: tf.reshape(map, [14, 14]) });
    tf.dispose([textFeatures, map]);
  };
}

async function medclipSamV2({ folder }) {
  const { tf } = await dist('backend/index.js');
  const { inference } = await dist('nn/index.js');
  const { informationOfPatches } = await dist('infer/medclip-sam/index.js');
  const { model, input, pixelValues, inputIds } = await biomedClip(folder, { noise: { shape: [10, 10, 197, 768] } });
  const noise = tf.unstack(input('noise'));
  const options = { layer: 9, beta: 1, steps: 10, copies: 10 };
  return async (_question, _inParts, keep) => {
    const textFeatures = model.text.forward({ inputIds }, inference);
    const information = informationOfPatches(model, { pixelValues, textFeatures }, options, (step) => noise[step].clone());
    await information.data();
    await keep?.({ information });
    tf.dispose([textFeatures, information]);
  };
}

/** The phrase of six tokens, begin and end among them. */
const PHRASE = [49406, 1823, 1936, 9511, 579, 49407];

async function biomedParse({ folder }) {
  const { tf } = await dist('backend/index.js');
  const { biomedParseConfigs, loadBiomedParseModel, randomBiomedParse, readModelConfig } = await dist('pretrained/index.js');
  const { path, rng, input } = await from(folder, {
    pixel_values: { shape: [1, 3, 1024, 1024] },
    input_ids: { shape: [1, PHRASE.length], ids: PHRASE },
  });
  const loaded = async () => loadBiomedParseModel(path, await readModelConfig(path, biomedParseConfigs));
  const model = path === undefined ? randomBiomedParse(rng).model : await loaded();
  const [pixelValues, inputIds] = [tf.transpose(input('pixel_values'), [0, 2, 3, 1]), input('input_ids')];
  return async (_question, inParts, keep) => {
    const { run } = inParts(model);
    const encoded = run('image', { pixelValues }, (given, context) => model.encodeImage(given.pixelValues, context));
    const decoded = run('decode', { encoded, inputIds }, (given, context) => {
      const text = model.encodeText(given.inputIds, context);
      const { maskEmbeds, similarity } = model.decode(given.encoded, [text], context);
      return { maskEmbeds, similarity };
    });
    const { best } = run('mask', { maskFeatures: encoded.maskFeatures, ...decoded }, (given, context) => {
      const query = tf.argMax(tf.reshape(given.similarity, [-1]));
      const embed = tf.gather(given.maskEmbeds, tf.reshape(query, [1]), 1);
      return { best: model.masks(embed, given, context) };
    });
    await best.data();
    await keep?.({ similarity: decoded.similarity, mask: best });
    tf.dispose([{ ...encoded }, { ...decoded }, best]);
  };
}

/** A maker for each method; see our-passes.mjs. */
export const methodMakers = {
  universeg,
  biomedparse: biomedParse,
  samus,
  medsam,
  'medclip-sam': medclipSam,
  'medclip-samv2': medclipSamV2,
};
