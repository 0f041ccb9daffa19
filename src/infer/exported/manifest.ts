import { z } from 'zod';
import { CheckpointError, modelPath, shownName } from '../../util/index.js';
import { readJson } from '../../weights/index.js';

/** The manifest's file name in an exported folder. */
export const MANIFEST = 'manifest.json';

export const exportForms = ['safetensors', 'peft', 'savedmodel', 'graph-model'] as const;

/** The format of exported models. */
export type ExportForm = (typeof exportForms)[number];

const portSchema = z.object({
  dtype: z.enum(['float32', 'int32', 'bool']),
  /** Letters stand for sizes that may vary between calls. */
  shape: z.array(z.union([z.int(), z.string()])),
  layout: z.string(),
  meaning: z.string(),
  /** Its node in the graph. */
  node: z.string(),
});

const signatureSchema = z.object({
  /** Folder of a SavedModel, or the model.json of a graph model; relative to the manifest. */
  file: z.string(),
  inputs: z.record(z.string(), portSchema),
  outputs: z.record(z.string(), portSchema),
});

const checkSchema = z.object({
  what: z.string(),
  /** Largest absolute difference between the export's outputs and the model's. */
  max_abs_error: z.number(),
  /** Largest absolute value among the model's outputs. */
  max_abs_value: z.number(),
});

/** The memory of a masker that follows objects through clips; fields of its `config.json`. */
const memorySchema = z.object({
  num_maskmem: z.int().positive().max(64),
  max_object_pointers_in_encoder: z.int().min(2).max(16_384),
  /** Null: all. */
  max_cond_frame_num: z.int().positive().max(4096).nullable(),
  multimask_output_in_sam: z.boolean(),
  multimask_min_pt_num: z.int().min(0),
  multimask_max_pt_num: z.int().min(0),
  multimask_output_for_tracking: z.boolean(),
});

const partSchema = z.object({
  /** Its folder, relative to the manifest. */
  path: z.string(),
  type: z.string(),
  height: z.int().positive().max(4096).optional(),
  width: z.int().positive().max(4096).optional(),
  /** Tokens that prompts are padded to. */
  text_length: z.int().positive().max(16_384).optional(),
  /** Number of points per prompt of the masker. */
  points: z.int().positive().max(1024).optional(),
  /** Of a masker with the graphs of a memory. */
  memory: memorySchema.optional(),
  /** Storage type of the weights. */
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

export type ManifestMemory = z.infer<typeof memorySchema>;

export type ManifestPart = z.infer<typeof partSchema>;

export type ManifestSignature = z.infer<typeof signatureSchema>;

export type ManifestCheck = z.infer<typeof checkSchema>;

/** @throws CheckpointError naming the file and the invalid entry. */
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
