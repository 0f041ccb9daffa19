import { join } from 'node:path';
import { loadSavedModel } from '../../backend/index.js';
import { loadGraph } from './graph-model.js';
import type { ExportForm, ManifestPart } from './manifest.js';
import { type Runner, runnerOf } from './signatures.js';

/** Loads the signatures of one model of an exported folder. */
export async function openRunner(dir: string, form: ExportForm, part: Pick<ManifestPart, 'signatures'>): Promise<Runner> {
  const load = form === 'graph-model' ? loadGraph : loadSavedModel;
  return runnerOf(dir, part, (file, signature) => load(join(dir, file), signature));
}
