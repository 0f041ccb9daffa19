/** The works of our side: a function for each kind of process, which loads a model and returns its passes. */
import { join } from 'node:path';
import { dist } from './dist.mjs';
import { methodMakers } from './method-passes.mjs';
import { randomDetector, randomMasker } from './random-models.mjs';
import { trainStep } from './train-step.mjs';

/**
 * Passes run in parts, as the predictors run them. `inParts(model)` gives `run(part, inputs, forward)`, which computes
 * `forward(inputs, context)`; the passes of each kind are `(question, inParts, keep)`, where `keep` gets the outputs under the names
 * and in the layout of the reference. Those of training resolve to the seconds of their stages.
 */
export const makers = { detector, masker, 'train-step': training, ...methodMakers };

/** The reference's inputs. */
async function inputsIn(folder) {
  const { tf } = await dist('backend/index.js');
  const { readSafetensors } = await dist('weights/formats/index.js');
  const { arrays } = await readSafetensors(join(folder, 'inputs.safetensors'));
  return (name) => tf.tensor(arrays.get(name).data, arrays.get(name).shape, arrays.get(name).dtype);
}

/** The reference's model and inputs, or random ones. */
async function detectorParts({ folder, side, batch, size }) {
  if (folder === 'random') return randomDetector(side, batch, size);
  const { tf } = await dist('backend/index.js');
  const { loadGroundingDino, readModelConfig, groundingDinoConfigs } = await dist('pretrained/index.js');
  const model = await loadGroundingDino(folder, await readModelConfig(folder, groundingDinoConfigs));
  const tensor = await inputsIn(folder);
  const inputs = {
    pixelValues: tf.transpose(tensor('pixel_values'), [0, 2, 3, 1]),
    inputIds: tensor('input_ids'),
    attentionMask: tensor('attention_mask'),
    tokenTypeIds: tensor('token_type_ids'),
  };
  return { model, inputs };
}

async function detector(from) {
  const { tf } = await dist('backend/index.js');
  const { groundingDinoToHuggingFace } = await dist('models/grounding-dino/index.js');
  const { model, inputs } = await detectorParts(from);
  const { pixelValues, ...text } = inputs;
  let encoded;
  const look = ({ run }) => {
    if (encoded !== undefined) tf.dispose(encoded);
    encoded = run('image', { pixelValues }, (given, context) => model.encodeImage(given, context));
  };
  const ask = async ({ run }, keep) => {
    const asked = run('text', text, (given, context) => model.encodeText(given, context));
    const found = run('detect', { encoded, asked }, (given, context) =>
      model.detect(given.encoded, given.asked, context).layers.at(-1),
    );
    await found.predBoxes.data();
    if (keep !== undefined) {
      const { logits, predBoxes } = groundingDinoToHuggingFace({ layers: [found] }, inputs.attentionMask, model.config);
      await keep({ logits, pred_boxes: predBoxes });
      tf.dispose([logits, predBoxes]);
    }
    tf.dispose([asked, found]);
  };
  return async (question, inParts, keep) => {
    const parts = inParts(model);
    const [what, count] = question.split(' ');
    if (what !== 'prompt') look(parts);
    if (what !== 'look') for (let i = 0; i < Number(count ?? 1); i++) await ask(parts, keep);
  };
}

async function maskerParts({ folder, size }) {
  if (folder === 'random') return randomMasker(size);
  const { tf } = await dist('backend/index.js');
  const { loadSam2Masker } = await dist('pretrained/index.js');
  const { model } = await loadSam2Masker(folder);
  const tensor = await inputsIn(folder);
  return { model, pixelValues: tf.transpose(tensor('pixel_values'), [0, 2, 3, 1]), boxes: tensor('input_boxes') };
}

async function masker(from) {
  const { tf } = await dist('backend/index.js');
  const { model, pixelValues, boxes } = await maskerParts(from);
  let features;
  return async (question, inParts, keep) => {
    const { run } = inParts(model);
    if (question === 'encode') {
      if (features !== undefined) tf.dispose({ ...features });
      features = run('image', { pixelValues }, (given, context) => model.encodeImage(given.pixelValues, context));
      await features.embeddings.data();
      if (keep === undefined) return;
      const { highRes0, highRes1, embeddings } = features;
      const maps = [highRes0, highRes1, embeddings].map((map) => tf.transpose(map, [0, 3, 1, 2]));
      await keep(Object.fromEntries(maps.map((map, i) => [`image_embeddings.${i}`, map])));
      tf.dispose(maps);
      return;
    }
    const asked = tf.slice(boxes, [0, 0, 0], [1, Number(question), 4]);
    const masks = run('masks', { features, boxes: asked, multimask: false }, (given, context) =>
      model.decodeMasks(given, context),
    );
    await masks.predMasks.data();
    await keep?.({ pred_masks: masks.predMasks, iou_scores: masks.iouScores, object_score_logits: masks.objectScoreLogits });
    tf.dispose([asked, { ...masks }]);
  };
}

async function training(from) {
  const { model, inputs } = await detectorParts(from);
  const step = await trainStep(model, inputs, 'paper-code');
  return (_question, inParts) => step.run(inParts(model).single ? (context) => context : undefined);
}
