import { appendFile, mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { tf } from '../backend/index.js';
import { readSafetensors, writeSafetensors } from '../io/formats/index.js';
import { CheckpointError } from '../util/index.js';

const countersSchema = z.object({
  step: z.int(),
  epoch: z.int(),
  stopping: z.object({ best: z.number().nullable(), sinceBest: z.int() }),
});

/** Where training stands besides its arrays. */
export type Counters = z.infer<typeof countersSchema>;

/**
 * The files of one run: `best/` (weights for inference), `last.safetensors` (to resume from) and `log.jsonl` (one line a
 * step and an epoch). Everything is written beside its place first and then renamed.
 */
export class RunFolder {
  readonly dir: string;
  readonly bestDir: string;
  readonly lastFile: string;

  constructor(dir: string) {
    this.dir = dir;
    this.bestDir = join(dir, 'best');
    this.lastFile = join(dir, 'last.safetensors');
  }

  async open(): Promise<void> {
    await mkdir(this.dir, { recursive: true });
  }

  async log(entry: Record<string, unknown>): Promise<void> {
    await appendFile(join(this.dir, 'log.jsonl'), `${JSON.stringify(entry)}\n`);
  }

  /** Writes a folder with `write` and puts it in the place of `best/`. */
  async replaceBest(write: (dir: string) => Promise<void>): Promise<void> {
    const fresh = `${this.bestDir}.new`;
    const old = `${this.bestDir}.old`;
    await rm(fresh, { recursive: true, force: true });
    await write(fresh);
    await rm(old, { recursive: true, force: true });
    if (await exists(this.bestDir)) await rename(this.bestDir, old);
    await rename(fresh, this.bestDir);
    await rm(old, { recursive: true, force: true });
  }

  /** @param tensors - float32, by name; they stay the caller's. */
  async writeLast(tensors: ReadonlyMap<string, tf.Tensor>, counters: Counters): Promise<void> {
    const arrays = new Map(
      await Promise.all(
        [...tensors].map(
          async ([name, tensor]) =>
            [name, { dtype: 'float32' as const, shape: tensor.shape, data: await tensor.data<'float32'>() }] as const,
        ),
      ),
    );
    await writeSafetensors(this.lastFile, arrays, { metadata: { counters: JSON.stringify(counters) } });
  }

  /** The last checkpoint, whose tensors belong to the caller, or nothing if there is none. */
  async readLast(): Promise<{ tensors: Map<string, tf.Tensor>; counters: Counters } | undefined> {
    if (!(await exists(this.lastFile))) return undefined;
    const { arrays, metadata } = await readSafetensors(this.lastFile);
    const counters = countersSchema.safeParse(JSON.parse(metadata['counters'] ?? 'null'));
    if (!counters.success)
      throw new CheckpointError({ where: this.lastFile, what: 'it is not a training checkpoint', fix: 'Choose another run.dir' });
    const tensors = [...arrays].map(([name, { data, shape, dtype }]) => [name, tf.tensor(data, [...shape], dtype)] as const);
    return { tensors: new Map(tensors), counters: counters.data };
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
