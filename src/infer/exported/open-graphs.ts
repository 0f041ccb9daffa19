import { ImageProcessor } from '../../processing/index.js';
import { PromptTokenizer } from '../../prompts/index.js';
import { CheckpointError, modelPath } from '../../util/index.js';
import type { Detector } from '../detector.js';
import type { Masker } from '../masker.js';
import { ExportedDetector } from './exported-detector.js';
import { ExportedMasker } from './exported-masker.js';
import { ExportedTracking } from './exported-tracking.js';
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

/** A masker of graphs, and what follows objects by them. The caller frees both, the tracking first. */
export interface GraphMasker {
  readonly masker: Masker;
  /** Absent if the masker has no memory, or was exported without. */
  readonly tracking: ExportedTracking | undefined;
}

/** Opens a masker exported as a graph; see {@link openGraphDetector}. */
export async function openGraphMasker(dir: string, part: ManifestPart, open: OpenRunner): Promise<GraphMasker> {
  const imageProcessor = await ImageProcessor.load(modelPath(dir, part.path));
  const runner = await open(part);
  const { memory } = part;
  const tracking = memory && new ExportedTracking(runner, imageProcessor, part, memory);
  return { masker: new ExportedMasker({ runner, imageProcessor, part }), tracking };
}
