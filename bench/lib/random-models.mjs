/** Models with random weights and inputs for them, where no reference is needed to make either. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/lib/places.mjs';
import { dist } from './dist.mjs';

/** A cheap generator: a hundred million numbers in a second, of which only their spread matters. */
function randoms() {
  let state = 12345;
  return (count, spread) => {
    const values = new Float32Array(count);
    for (let i = 0; i < count; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      values[i] = (state / 2 ** 31) * spread;
    }
    return values;
  };
}

async function fill(model, random) {
  const { tf } = await dist('backend/index.js');
  for (const [path, parameter] of model.namedParameters()) {
    const size = parameter.shape.reduce((a, b) => a * b, 1);
    // Norms stay near one, so that a deep model neither dies nor explodes.
    const values = random(size, 0.03);
    if (/norm[^.]*\.weight$/i.test(path)) for (let i = 0; i < size; i++) values[i] += 1;
    const tensor = tf.tensor(values, [...parameter.shape]);
    parameter.assign(tensor);
    tensor.dispose();
  }
  return model;
}

/** The settings of a shipped nano model; those of the tiny one are the defaults. */
function configOf(size, name) {
  return size === 'nano' ? JSON.parse(readFileSync(join(root, 'weights', name, 'config.json'), 'utf8')) : {};
}

/** Grounding DINO, tiny or nano, and images and a prompt for it. */
export async function randomDetector(side, batch = 1, size = 'tiny') {
  const { tf } = await dist('backend/index.js');
  const { GroundingDino, parseGroundingDinoConfig } = await dist('models/grounding-dino/index.js');
  const random = randoms();
  const config = parseGroundingDinoConfig(configOf(size, 'nano-grounding-dino'));
  const model = await fill(new GroundingDino(config), random);
  const words = [28378, 22144, 22330, 3367].map((id) => id % config.textConfig.vocabSize);
  const ids = [101, words[0], words[1], 1012, words[2], words[3], 1012, 102];
  const rows = (row) =>
    tf.tensor2d(
      Array.from({ length: batch }, () => row),
      [batch, ids.length],
      'int32',
    );
  return {
    model,
    inputs: {
      pixelValues: tf.tensor(random(batch * side * side * 3, 1.7), [batch, side, side, 3]),
      inputIds: rows(ids),
      attentionMask: rows(ids.map(() => 1)),
      tokenTypeIds: rows(ids.map(() => 0)),
    },
  };
}

const BOXES = 100;

/** SAM 2 (hiera-tiny or nano), an image of its size, and boxes on it. */
export async function randomMasker(size = 'tiny') {
  const { tf } = await dist('backend/index.js');
  const { Sam2, parseSam2Config } = await dist('models/sam2/index.js');
  const random = randoms();
  const model = await fill(new Sam2(parseSam2Config(configOf(size, 'nano-sam2'))), random);
  const side = model.config.promptEncoder.imageSize;
  const corners = random(2 * BOXES, 250).map((x) => x + 250);
  const boxes = Array.from({ length: BOXES }, (_, i) => {
    const [x, y] = [corners[2 * i], corners[2 * i + 1]];
    return [x, y, x + 60 + 3 * i, y + 400 - 3 * i];
  });
  return {
    model,
    pixelValues: tf.tensor(random(side * side * 3, 1.7), [1, side, side, 3]),
    boxes: tf.tensor3d([boxes], [1, BOXES, 4]),
  };
}

/** SAM of its smallest size (ViT-B), and an image of its size. */
export async function randomSam() {
  const { tf } = await dist('backend/index.js');
  const { Sam, parseSamConfig } = await dist('models/sam/index.js');
  const random = randoms();
  const model = await fill(new Sam(parseSamConfig({})), random);
  const side = model.config.promptEncoder.imageSize;
  return { model, pixelValues: tf.tensor(random(side * side * 3, 1.7), [1, side, side, 3]) };
}
