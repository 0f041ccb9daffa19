import { z } from 'zod';
import { CheckpointError, modelPath, shownName } from '../../util/index.js';
import { readJson } from '../../weights/index.js';

/** What an exported folder has at its top. */
export const MANIFEST = 'manifest.json';

export const exportForms = ['safetensors', 'peft', 'savedmodel', 'graph-model'] as const;

/** In what form models are exported. */
export type ExportForm = (typeof exportForms)[number];

const portSchema = z.object({
  dtype: z.enum(['float32', 'int32', 'bool']),
  /** Letters are sizes that may vary from call to call. */
  shape: z.array(z.union([z.int(), z.string()])),
  layout: z.string(),
  meaning: z.string(),
  /** Its node in the graph. */
  node: z.string(),
});

const signatureSchema = z.object({
  /** Folder of a SavedModel, or the model.json of a graph model; beside the manifest. */
  file: z.string(),
  inputs: z.record(z.string(), portSchema),
  outputs: z.record(z.string(), portSchema),
});

const checkSchema = z.object({
  what: z.string(),
  /** Largest difference between what was exported and the model, over all values. */
  max_abs_error: z.number(),
  /** Largest value that the model itself gave. */
  max_abs_value: z.number(),
});

const partSchema = z.object({
  /** Its folder, beside the manifest. */
  path: z.string(),
  type: z.string(),
  height: z.int().positive().max(4096).optional(),
  width: z.int().positive().max(4096).optional(),
  /** Tokens that prompts are padded to. */
  text_length: z.int().positive().max(16_384).optional(),
  /** Points of each prompt of the masker. */
  points: z.int().positive().max(1024).optional(),
  /** How weights are stored. */
  dtype: z.string(),
  signatures: z.record(z.string(), signatureSchema),
  verification: z.array(checkSchema),
});

const manifestSchema = z.object({
  format: z.literal('sonoground-export'),
  version: z.literal(1),
  form: z.enum(exportForms),
  made_with: z.record(z.string(), z.string().nullable()),
  source: z.object({
    run: z.string().nullable(),
    detector: z.string(),
    adapter: z.string().nullable(),
    masker: z.string(),
    masker_adapter: z.string().optional(),
  }),
  detector: partSchema,
  masker: partSchema.nullable(),
  files: z.record(z.string(), z.object({ bytes: z.int(), sha256: z.string() })),
});

/** The description of an exported folder. */
export type Manifest = z.infer<typeof manifestSchema>;

export type ManifestPart = z.infer<typeof partSchema>;

export type ManifestSignature = z.infer<typeof signatureSchema>;

export type ManifestCheck = z.infer<typeof checkSchema>;

/** @throws CheckpointError naming the file and what in it is not as expected. */
export async function readManifest(dir: string): Promise<Manifest> {
  const file = modelPath(dir, MANIFEST);
  const parsed = manifestSchema.safeParse(await readJson(file, 'Copy the whole folder that the export wrote'));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${shownName(path.join('.')) || 'file'}: ${message.replace(/^Invalid input: /, '')}`,
  );
  throw new CheckpointError({
    code: 'E_EXPORT_DAMAGED',
    where: file,
    what: problems.slice(0, 5).join('; '),
    fix: 'Export the model again, with this version',
  });
}
