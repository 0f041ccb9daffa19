import { ImageProcessor } from '../../processing/index.js';
import { PromptTokenizer } from '../../prompts/index.js';
import { CheckpointError, modelPath } from '../../util/index.js';
import type { Detector } from '../detector.js';
import type { Masker } from '../masker.js';
import { ExportedDetector } from './exported-detector.js';
import { ExportedMasker } from './exported-masker.js';
import type { ManifestPart } from './manifest.js';
import type { Runner } from './signatures.js';

type OpenRunner = (part: ManifestPart) => Promise<Runner>;

/**
 * Opens a detector exported as a graph.
 *
 * @param dir - the exported folder.
 * @throws CheckpointError naming the file that is missing or malformed.
 */
export async function openGraphDetector(dir: string, detector: ManifestPart, open: OpenRunner): Promise<Detector> {
  const folder = modelPath(dir, detector.path);
  const { height, width, text_length: textLength } = detector;
  if (height === undefined || width === undefined || textLength === undefined)
    throw new CheckpointError({
      code: 'E_EXPORT_DAMAGED',
      where: dir,
      what: 'the manifest does not say for what sizes the detector is',
      fix: 'Export it again',
    });
  const [tokenizer, imageProcessor] = await Promise.all([PromptTokenizer.load(folder, textLength), ImageProcessor.load(folder)]);
  return new ExportedDetector({ runner: await open(detector), tokenizer, imageProcessor, size: { height, width }, textLength });
}

/** Opens a masker exported as a graph; see {@link openGraphDetector}. */
export async function openGraphMasker(dir: string, masker: ManifestPart, open: OpenRunner): Promise<Masker> {
  const imageProcessor = await ImageProcessor.load(modelPath(dir, masker.path));
  return new ExportedMasker({ runner: await open(masker), imageProcessor, part: masker });
}
