import { join } from 'node:path';
import type { ExportForm, ManifestPart } from '../infer/index.js';
import { type DetectorParts, loadDetector, resolveModel } from '../pretrained/index.js';
import { UsageError } from '../util/index.js';
import { type DetectorShape, detectorProgram } from './detector-program.js';
import type { WeightType } from './graph-model.js';
import { writeCompanions, writeHuggingFaceFolder } from './hugging-face-folder.js';
import { exportPrograms } from './record.js';
import { report, verifyAgain } from './verify.js';

export interface WriteDetectorOptions {
  readonly form: ExportForm;
  readonly dtype?: WeightType;
  readonly imageSize?: readonly [height: number, width: number] | undefined;
  readonly textLength?: number | undefined;
  readonly batch?: number | 'any' | undefined;
  readonly say?: (message: string) => void;
}

const TEXT_LENGTH = 64;

/** The default sizes of a detector's graph. */
export function detectorShape(
  { imageProcessor, config }: Pick<DetectorParts, 'imageProcessor' | 'config'>,
  { imageSize, textLength }: Pick<WriteDetectorOptions, 'imageSize' | 'textLength'> = {},
): DetectorShape {
  const square = imageProcessor.targetSize({ width: 1024, height: 1024 });
  const [height, width] = imageSize ?? [square.height, square.width];
  return { height, width, textLength: textLength ?? Math.min(TEXT_LENGTH, config.maxTextLen) };
}

/**
 * Writes a detector, with its adapter merged, into an export's folder.
 *
 * @param source - where its files come from.
 * @throws UsageError when it supports fewer tokens than requested.
 */
export async function writeDetector(
  parts: DetectorParts,
  source: { readonly detector: string; readonly adapter?: string | undefined },
  options: WriteDetectorOptions,
  root: string,
): Promise<ManifestPart> {
  const { form, dtype = 'float32', batch, say = () => {} } = options;
  const { model, config, imageProcessor } = parts;
  const path = 'detector';
  const preprocessor = { image_processor_type: 'GroundingDinoImageProcessor', ...imageProcessor.config };
  const from = { path: await resolveModel(source.detector), adapter: source.adapter, preprocessor };
  const shape = detectorShape(parts, options);
  const { height, width, textLength } = shape;
  if (textLength > config.maxTextLen)
    throw new UsageError({
      code: 'E_OPTION_CONFLICT',
      where: '--text-length',
      what: `the detector takes ${config.maxTextLen} tokens, not ${textLength}`,
    });
  const program = detectorProgram(parts, shape);
  const common = { path, type: 'grounding-dino', dtype };
  if (form === 'safetensors') {
    await writeHuggingFaceFolder(model, from, join(root, path), { half: dtype === 'float16' });
    const again = await loadDetector(join(root, path));
    const verification = await verifyAgain([program], [detectorProgram(again, shape)]).finally(() => again.model.dispose());
    report(path, verification, say);
    if (config.phrasesAsSentences)
      say('detector: transformers does not know phrases_as_sentences, with which it was trained, and encodes phrases otherwise');
    return { ...common, signatures: {}, verification };
  }
  await writeCompanions(from, join(root, path));
  const graphForm = form as 'savedmodel' | 'graph-model';
  const sizes = { B: batch ?? (form === 'savedmodel' ? 'any' : 1) } as const;
  const recorded = await exportPrograms(model, [program], { root, path, form: graphForm, weightType: dtype, sizes, say });
  return { ...common, height, width, text_length: textLength, ...recorded };
}
