/** Writes an adapter with random values for a Grounding DINO: node tools/parity/write-adapter.mjs MODEL PRESET FOLDER. */

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bootstrap } from '../../scripts/bootstrap.mjs';
import { build } from '../../scripts/lib/build.mjs';
import { root } from '../../scripts/lib/places.mjs';
import { quietTensorflow } from '../../scripts/lib/quiet.mjs';

const [folder, preset, target] = process.argv.slice(2);
await bootstrap();
await build();
quietTensorflow();
const dist = (path) => import(pathToFileURL(join(root, 'dist', path)).href);
const { initBackend, tf } = await dist('backend/index.js');
const { groundingDinoConfigs, loadGroundingDino, readModelConfig, saveAdapter } = await dist('pretrained/index.js');
const { applyLora, loraPresets } = await dist('lora/index.js');
const { Rng } = await dist('util/index.js');
await initBackend();
const model = await loadGroundingDino(folder, await readModelConfig(folder, groundingDinoConfigs));
const spec = loraPresets[preset];
applyLora(model, spec, Rng.seeded(1));
const rng = Rng.seeded(2);
for (const parameter of model.trainableParameters()) {
  const noise = Float32Array.from({ length: parameter.value.size }, () => rng.normal(0, 0.02));
  tf.tidy(() => parameter.assign(tf.add(parameter.value, tf.tensor(noise, parameter.shape))));
}
await saveAdapter(model, target, spec);
