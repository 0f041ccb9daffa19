import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { tf } from '../../src/backend/index.js';
import { loadSam2VideoParts } from '../../src/pretrained/index.js';
import { saveCheckpoint } from '../../src/weights/index.js';

/** Added to the object score, which has not learned yet when an object is in sight. */
const SEEN = 4;

/** Writes the small masker with a memory of random weights, as training starts with, that sees its objects. Needs what `npm test` builds. */
export async function writeNanoMemory(folder: string): Promise<void> {
  await promisify(execFile)('node', ['tools/real/with-memory.mjs', 'weights/nano-sam2', folder]);
  const { model } = await loadSam2VideoParts(folder);
  const bias = new Map(model.namedParameters()).get('mask_decoder.pred_obj_score_head.proj_out.bias');
  if (bias === undefined) throw new Error('there is no object score');
  bias.assign(tf.tidy(() => tf.add(bias.value, SEEN)));
  await saveCheckpoint(model, join(folder, 'model.safetensors'));
  model.dispose();
}
