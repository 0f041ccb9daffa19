import { join } from 'node:path';
import { loadDetector, loadMasker } from '../../pretrained/index.js';
import { createMasker } from '../create-masker.js';
import { type Detector, GroundingDinoPredictor } from '../detector.js';
import type { Masker } from '../masker.js';
import { type Manifest, readManifest } from './manifest.js';
import { openGraphDetector, openGraphMasker } from './open-graphs.js';
import { openRunner } from './runner.js';

/** The models of an exported folder. */
export interface ExportedModels {
  readonly detector: Detector;
  /** Absent if not requested. */
  readonly masker: Masker | undefined;
}

/**
 * Loads an exported folder of any form. For a PEFT adapter, the models that it was trained on are loaded as well.
 *
 * @param masker - a masker that replaces the exported one; `null` for none.
 * @throws CheckpointError naming the file that is missing or malformed.
 */
export async function loadExported(
  dir: string,
  { masker }: { readonly masker?: string | null | undefined } = {},
): Promise<ExportedModels> {
  const manifest = await readManifest(dir);
  const detector = await openDetector(dir, manifest);
  try {
    return { detector, masker: masker === null ? undefined : await openMasker(dir, manifest, masker) };
  } catch (error) {
    detector.dispose();
    throw error;
  }
}

async function openDetector(dir: string, { form, detector, source }: Manifest): Promise<Detector> {
  const folder = join(dir, detector.path);
  if (form === 'safetensors') return new GroundingDinoPredictor(await loadDetector(folder));
  if (form === 'peft') return new GroundingDinoPredictor(await loadDetector(source.detector, { adapter: folder }));
  return openGraphDetector(dir, detector, (part) => openRunner(dir, form, part));
}

async function openMasker(dir: string, { form, masker, source }: Manifest, other: string | undefined): Promise<Masker> {
  if (other !== undefined) return createMasker(await loadMasker(other));
  if (masker === null) return createMasker(await loadMasker(source.masker));
  const folder = join(dir, masker.path);
  if (form === 'safetensors') return createMasker(await loadMasker(folder));
  if (form === 'peft') return createMasker(await loadMasker(source.masker, { adapter: folder }));
  return openGraphMasker(dir, masker, (part) => openRunner(dir, form, part));
}
