/**
 * First half of the fixture lora-written: adapters written by this project. Python reads them and records the resulting outputs
 * of the model: tools/golden/lora_written.py.
 *
 *   npm run check && node tools/golden/write-adapter.mjs
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bootstrap } from '../../scripts/bootstrap.mjs';
import { build } from '../../scripts/lib/build.mjs';
import { root } from '../../scripts/lib/places.mjs';
import { quietTensorflow } from '../../scripts/lib/quiet.mjs';

await bootstrap();
await build();
quietTensorflow();
const dist = (path) => import(pathToFileURL(join(root, 'dist', path)).href);
const { initBackend, tf } = await dist('backend/index.js');
const { loadGroundingDino, loadSam2, saveAdapter } = await dist('pretrained/index.js');
const { applyLora, loraPresets } = await dist('lora/index.js');
const { parseGroundingDinoConfig } = await dist('models/grounding-dino/index.js');
const { parseSam2Config } = await dist('models/sam2/index.js');
const { Rng } = await dist('util/index.js');
await initBackend();

/** A model of the fixtures. */
function open(fixture, parse, load) {
  const dir = join(root, 'test/fixtures', fixture);
  return load(dir, parse(JSON.parse(readFileSync(join(dir, 'config.json'), 'utf8'))));
}
const specs = {
  paper: {
    ...loraPresets.paper,
    rank: 2,
    alpha: 3,
    dropout: 0.1,
    rankPattern: { 'model.decoder.layers.1.*': 3 },
    alphaPattern: { 'model.encoder.**.fc1': 5 },
  },
  'paper-code': { ...loraPresets['paper-code'], rank: 2, alpha: 2 },
  'mask-decoder': { ...loraPresets['mask-decoder'], rank: 2, alpha: 3, modulesToSave: ['mask_decoder.iou_prediction_head'] },
};
for (const [name, spec] of Object.entries(specs)) {
  const model =
    name === 'mask-decoder'
      ? await open('sam2-stable', parseSam2Config, loadSam2)
      : await open('grounding-dino-four-levels', parseGroundingDinoConfig, loadGroundingDino);
  applyLora(model, spec, Rng.seeded(71));
  const rng = Rng.seeded(72);
  for (const parameter of model.trainableParameters()) {
    const noise = Float32Array.from({ length: parameter.value.size }, () => rng.normal(0, 0.05));
    tf.tidy(() => parameter.assign(tf.add(parameter.value, tf.tensor(noise, parameter.shape))));
  }
  const dir = join(root, 'test/fixtures/lora-written', name);
  mkdirSync(dir, { recursive: true });
  await saveAdapter(model, dir, spec);
  writeFileSync(join(dir, 'spec.json'), `${JSON.stringify(spec, null, 2)}\n`);
  console.log(dir);
}
