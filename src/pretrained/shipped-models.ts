import { basename } from 'node:path';

/** Tiny models trained only on phantoms, at 128x128 pixels; used by the tests. */
export const nanoModels = { detector: 'weights/nano-grounding-dino', masker: 'weights/nano-sam2' } as const;

/** For real ultrasound: trained on breast lesions, carotid arteries, nerves, vessels and phantoms; see docs/training/real.md. */
export const ultrasoundModels = { detector: 'weights/ultrasound-detector', masker: 'weights/ultrasound-masker' } as const;

/** For exemplars instead of prompts, at 128x128 pixels; trained on the same images as {@link ultrasoundModels}. */
export const exemplarModel = 'weights/universeg-nano';

/** The default models of all commands. */
export const shippedModels = ultrasoundModels;

/** All shipped models, by their names in configurations. */
const PACKAGED: readonly string[] = [...[nanoModels, ultrasoundModels].flatMap((models) => Object.values(models)), exemplarModel];

const PHANTOMS = ['phantom-standard'];
const REAL = ['BUSI', 'CCA', 'usgra-seg', ...PHANTOMS];

/** Datasets whose training split the shipped models were trained on. */
const TRAINED_ON: Readonly<Record<string, readonly string[]>> = {
  [basename(nanoModels.detector)]: PHANTOMS,
  [basename(nanoModels.masker)]: PHANTOMS,
  [basename(ultrasoundModels.detector)]: REAL,
  [basename(ultrasoundModels.masker)]: REAL,
  [basename(exemplarModel)]: REAL,
};

/** Datasets whose training split a model was trained on, as far as known: of a shipped one. */
export function trainingDataOf(model: string): readonly string[] {
  return TRAINED_ON[basename(model)] ?? [];
}

/** Whether a model is shipped with the package: by its name, or as a folder of that name anywhere. */
export function isPackaged(model: string): boolean {
  return PACKAGED.some((name) => basename(name) === basename(model));
}
