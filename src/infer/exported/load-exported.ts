import { join } from 'node:path';
import type { Precision } from '../../backend/index.js';
import { type AdaptedOptions, loadDetector, loadMasker } from '../../pretrained/index.js';
import { UsageError } from '../../util/index.js';
import { createMasker } from '../create-masker.js';
import { type Detector, GroundingDinoPredictor } from '../detector.js';
import type { Masker } from '../masker.js';
import { convertTo } from '../precision.js';
import type { ExportedTracking } from './exported-tracking.js';
import { type Manifest, readManifest } from './manifest.js';
import { openGraphDetector, openGraphMasker } from './open-graphs.js';
import { openRunner } from './runner.js';

/** The models of an exported folder. */
export interface ExportedModels {
  readonly detector: Detector;
  /** Absent if not requested. */
  readonly masker: Masker | undefined;
  /** Follows objects through clips by graphs of the masker's memory; absent without them. Freed before the masker. */
  readonly tracking?: ExportedTracking | undefined;
}

/**
 * Loads an exported folder of any form. For a PEFT adapter, the models that it was trained on are loaded as well.
 *
 * @param options - `masker`: a masker that replaces the exported one; `null` for none. `precision` of the models; graphs have their
 * own. Default: `float32`.
 * @throws CheckpointError naming the file that is missing or malformed; UsageError for a precision that a graph does not have.
 */
export async function loadExported(
  dir: string,
  { masker, precision }: { readonly masker?: string | null | undefined; readonly precision?: Precision | undefined } = {},
): Promise<ExportedModels> {
  const manifest = await readManifest(dir);
  const { form } = manifest;
  if (precision === 'bfloat16' && form !== 'safetensors' && form !== 'peft')
    throw new UsageError({
      code: 'E_OPTION_CONFLICT',
      where: dir,
      what: `an export of the form ${form} has the precision that it was written in`,
      fix: 'Leave the precision out, or name the model that was exported',
    });
  const detector = await openDetector(dir, manifest, precision);
  try {
    if (masker === null) return { detector, masker: undefined };
    return { detector, ...(await openMasker(dir, manifest, masker, precision)) };
  } catch (error) {
    detector.dispose();
    throw error;
  }
}

async function openDetector(
  dir: string,
  { form, detector, source }: Manifest,
  precision: Precision | undefined,
): Promise<Detector> {
  const folder = join(dir, detector.path);
  const load = async (model: string, options?: AdaptedOptions) => {
    const parts = await loadDetector(model, options);
    convertTo(precision, parts.model);
    return new GroundingDinoPredictor(parts);
  };
  if (form === 'safetensors') return load(folder);
  if (form === 'peft') return load(source.detector, { adapter: folder });
  return openGraphDetector(dir, detector, (part) => openRunner(dir, form, part));
}

async function openMasker(
  dir: string,
  { form, masker, source }: Manifest,
  other: string | undefined,
  precision: Precision | undefined,
): Promise<Pick<ExportedModels, 'tracking'> & { readonly masker: Masker }> {
  const load = async (model: string, options?: AdaptedOptions) => {
    const parts = await loadMasker(model, options);
    convertTo(precision, parts.model);
    return { masker: createMasker(parts) };
  };
  if (other !== undefined) return load(other);
  if (masker === null) return load(source.masker);
  const folder = join(dir, masker.path);
  if (form === 'safetensors') return load(folder);
  if (form === 'peft') return load(source.masker, { adapter: folder });
  return openGraphMasker(dir, masker, (part) => openRunner(dir, form, part));
}
