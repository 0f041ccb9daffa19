import { join } from 'node:path';
import type { ExportForm, ManifestPart } from '../infer/index.js';
import { Sam2Video } from '../models/sam2/index.js';
import { type MaskerParts, resolveModel } from '../pretrained/index.js';
import type { WeightType } from './graph-model.js';
import { writeCompanions, writeHuggingFaceFolder } from './hugging-face-folder.js';
import { loadWholeMasker } from './load-whole-masker.js';
import { maskerGraph } from './masker-graph.js';
import { maskerPrograms } from './masker-program.js';
import { manifestMemory } from './memory-programs.js';
import { exportPrograms } from './record.js';
import { report, verifyAgain } from './verify.js';

export interface WriteMaskerOptions {
  readonly form: ExportForm;
  readonly dtype?: WeightType;
  readonly points?: number;
  readonly say?: (message: string) => void;
}

const POINTS = 4;

/** transformers' class names, by model type. */
const PROCESSORS = { sam: 'SamImageProcessor', sam2: 'Sam2ImageProcessorFast' } as const;

/**
 * Writes a masker, with its adapter merged, into an export's folder.
 *
 * @param source - where its files come from.
 */
export async function writeMasker(
  parts: MaskerParts,
  source: string,
  { form, dtype = 'float32', points = POINTS, say = () => {} }: WriteMaskerOptions,
  root: string,
): Promise<ManifestPart> {
  const path = 'masker';
  const { type, imageProcessor, model } = parts;
  const preprocessor = { image_processor_type: PROCESSORS[type], ...imageProcessor.config };
  const from = { path: await resolveModel(source), preprocessor };
  const { side } = maskerGraph(parts);
  const programs = maskerPrograms(parts, { points });
  const common = { path, type, dtype };
  if (form === 'safetensors') {
    await writeHuggingFaceFolder(model, from, join(root, path), { half: dtype === 'float16' });
    const again = await loadWholeMasker(join(root, path));
    const verification = await verifyAgain(programs, maskerPrograms(again, { points })).finally(() => again.model.dispose());
    report(path, verification, say);
    return { ...common, signatures: {}, verification };
  }
  await writeCompanions(from, join(root, path));
  const graphForm = form as 'savedmodel' | 'graph-model';
  const sizes = { N: 'any', K: 'any', P: 'any' } as const;
  const recorded = await exportPrograms(model, programs, { root, path, form: graphForm, weightType: dtype, sizes, say });
  const memory = model instanceof Sam2Video ? { memory: manifestMemory(model.config) } : {};
  return { ...common, height: side, width: side, points, ...memory, ...recorded };
}
