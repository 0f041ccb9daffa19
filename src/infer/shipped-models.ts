import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** The models that a command takes unless told otherwise, by the names that configurations give them. */
export const shippedModels = {
  detector: 'weights/nano-grounding-dino',
  masker: 'weights/nano-sam2',
} as const;

/** The small ones: trained on phantoms alone, for 128x128 pixels. Tests and trials run on them. */
export const nanoModels = { detector: 'weights/nano-grounding-dino', masker: 'weights/nano-sam2' } as const;

/** Those for real ultrasound, of which the first stage of training is done: see docs/training/real.md. */
export const ultrasoundModels = { detector: 'weights/ultrasound-detector', masker: 'weights/ultrasound-masker' } as const;

/** The package's own folder, seen from this file both in `src` and in `dist`. */
const PACKAGE = new URL('../../', import.meta.url);

/**
 * Where a model is. A shipped one is found whatever the working directory; every other name, and a folder of that name in the
 * working directory, stays as it is.
 */
export async function locateModel(name: string): Promise<string> {
  const shipped: readonly string[] = [shippedModels, nanoModels, ultrasoundModels].flatMap((models) => Object.values(models));
  if (!shipped.includes(name) || (await stat(name).catch(() => undefined)) !== undefined) return name;
  return fileURLToPath(new URL(name, PACKAGE));
}
