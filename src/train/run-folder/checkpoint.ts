import { createHash } from 'node:crypto';
import { z } from 'zod';
import { tf } from '../../backend/index.js';
import { CheckpointError } from '../../util/index.js';
import { readSafetensors, writeSafetensors } from '../../weights/formats/index.js';

const report = z.object({ total: z.number(), terms: z.record(z.string(), z.number()) });
const size = z.int().nonnegative();

const progressSchema = z.object({
  /** Updates made. */
  step: size,
  /** Completed epochs. */
  epoch: size,
  /** Updates made in the current epoch, and the position among its batches. */
  taken: size,
  cursor: z.object({ pass: size, batch: size }),
  /** Running sums of the current epoch's losses. */
  losses: z.object({ count: z.number(), sum: report }),
  stopping: z.object({ best: z.number().nullable(), sinceBest: size }),
  /** Length in bytes of the log and of the event file at this step. */
  log: z.object({ lines: size, events: size }),
});

/** The position of training, besides its arrays. Random draws are functions of the seed and of these numbers. */
export type Progress = z.infer<typeof progressSchema>;

/** A training checkpoint read from disk. The tensors belong to the caller. */
export interface Checkpoint {
  readonly file: string;
  readonly tensors: Map<string, tf.Tensor>;
  readonly progress: Progress;
  readonly made: MadeWith;
}

/** Metadata compared on resume. */
export interface MadeWith {
  /** The settings that affect a step, by path. */
  readonly settings: Readonly<Record<string, string>>;
  /** Hash of the data. Like the versions below, absent from checkpoints of earlier releases. */
  readonly data?: string | undefined;
  /** The versions that affect the last bits of a step. */
  readonly versions?: Readonly<Record<string, string>> | undefined;
}

/**
 * Writes a checkpoint atomically, with a SHA-256 of every tensor and of the metadata.
 *
 * @param tensors - float32, by name; they stay the caller's.
 * @throws SonogroundError naming the file when it cannot be written.
 */
export async function writeCheckpoint(
  file: string,
  tensors: ReadonlyMap<string, tf.Tensor>,
  progress: Progress,
  made: MadeWith,
): Promise<void> {
  const arrays = new Map(
    await Promise.all(
      [...tensors].map(
        async ([name, tensor]) =>
          [name, { dtype: 'float32' as const, shape: tensor.shape, data: await tensor.data<'float32'>() }] as const,
      ),
    ),
  );
  const state = JSON.stringify({ progress, ...made });
  const hashes = Object.fromEntries([...arrays].map(([name, { data, shape }]) => [name, hashOfArray(data, shape)]));
  const sha256 = JSON.stringify(hashes);
  await writeSafetensors(file, arrays, { metadata: { state, sha256, seal: hashOf(`${state}\n${sha256}`) } });
}

/**
 * Reads a checkpoint and verifies its hashes.
 *
 * @throws CheckpointError naming the file and any damaged tensor.
 */
export async function readCheckpoint(file: string): Promise<Checkpoint> {
  const { arrays, metadata } = await readSafetensors(file);
  const { state, sha256, seal } = metadata;
  if (state === undefined || sha256 === undefined) throw damaged(file, 'it is not a training checkpoint');
  if (seal !== hashOf(`${state}\n${sha256}`)) throw damaged(file, 'its description is damaged (SHA-256 differs)');
  const hashes = JSON.parse(sha256) as Record<string, string>;
  const names = [...new Set([...Object.keys(hashes), ...arrays.keys()])];
  const broken = names.filter((name) => {
    const array = arrays.get(name);
    return array === undefined || hashes[name] !== hashOfArray(array.data, array.shape);
  });
  if (broken.length > 0)
    throw damaged(file, `${broken.join(', ')} ${broken.length > 1 ? 'are' : 'is'} damaged (SHA-256 differs)`);
  const { progress, ...made } = JSON.parse(state) as { progress: unknown } & MadeWith;
  const parsed = progressSchema.safeParse(progress);
  if (!parsed.success) throw damaged(file, 'it was written by another version of sonoground');
  const tensors = [...arrays].map(([name, { data, shape, dtype }]) => [name, tf.tensor(data, [...shape], dtype)] as const);
  return { file, tensors: new Map(tensors), progress: parsed.data, made };
}

function hashOf(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}

function hashOfArray({ buffer, byteOffset, byteLength }: NodeJS.TypedArray, shape: readonly number[]): string {
  return createHash('sha256')
    .update(`[${shape}]`)
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex');
}

function damaged(where: string, what: string): CheckpointError {
  return new CheckpointError({
    code: 'E_CHECKPOINT_DAMAGED',
    where,
    what,
    fix: 'An earlier checkpoint of the same run may be intact',
  });
}
