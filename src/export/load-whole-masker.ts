import { type AdaptedOptions, hasMemory, loadMasker, loadSam2VideoParts, type MaskerParts } from '../pretrained/index.js';

/** Loads a masker, with its memory if its weights have one. */
export async function loadWholeMasker(model: string, options: AdaptedOptions = {}): Promise<MaskerParts> {
  if (await hasMemory(model)) return { type: 'sam2', ...(await loadSam2VideoParts(model, options)) };
  return loadMasker(model, options);
}
