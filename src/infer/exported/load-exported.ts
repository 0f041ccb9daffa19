import { join } from 'node:path';
import { ImageProcessor, PromptTokenizer } from '../../processing/index.js';
import { CheckpointError } from '../../util/index.js';
import { type Detector, GroundingDinoPredictor } from '../detector.js';
import { loadDetector, loadMasker } from '../load-model.js';
import type { Masker } from '../masker.js';
import { maskerOf } from '../masker-of.js';
import { ExportedDetector } from './exported-detector.js';
import { ExportedMasker } from './exported-masker.js';
import { type Manifest, readManifest } from './manifest.js';
import { openRunner } from './runner.js';

/** The models of an exported folder. */
export interface ExportedModels {
  readonly detector: Detector;
  /** Absent where none was wanted. */
  readonly masker: Masker | undefined;
}

/**
 * Loads an exported folder in whatever form it is. Of a PEFT adapter the models that it was trained on are loaded too.
 *
 * @param masker - a masker in the place of the exported one; `null` for none.
 * @throws CheckpointError naming the file that is missing or not as expected.
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
  const { height, width, text_length: textLength } = detector;
  if (height === undefined || width === undefined || textLength === undefined)
    throw new CheckpointError({
      where: dir,
      what: 'the manifest does not say for what sizes the detector is',
      fix: 'Export it again',
    });
  const [tokenizer, imageProcessor] = await Promise.all([PromptTokenizer.load(folder, textLength), ImageProcessor.load(folder)]);
  const runner = await openRunner(dir, form, detector);
  return new ExportedDetector({ runner, tokenizer, imageProcessor, size: { height, width }, textLength });
}

async function openMasker(dir: string, { form, masker, source }: Manifest, other: string | undefined): Promise<Masker> {
  if (other !== undefined) return maskerOf(await loadMasker(other));
  if (masker === null) return maskerOf(await loadMasker(source.masker));
  const folder = join(dir, masker.path);
  if (form === 'safetensors') return maskerOf(await loadMasker(folder));
  if (form === 'peft') return maskerOf(await loadMasker(source.masker, { adapter: folder }));
  const imageProcessor = await ImageProcessor.load(folder);
  return new ExportedMasker({ runner: await openRunner(dir, form, masker), imageProcessor, part: masker });
}
