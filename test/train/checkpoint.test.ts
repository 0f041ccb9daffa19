import { spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { type Progress, readCheckpoint, writeCheckpoint } from '../../src/train/run-folder/checkpoint.js';
import { assertSameRun, stepSettings } from '../../src/train/run-folder/fingerprint.js';
import { RunFolder } from '../../src/train/run-folder/run-folder.js';
import { leakOf, useBackend } from '../support/backend.js';
import { itUnless } from '../support/skipped.js';
import { temporaryFolder } from '../support/temporary-folder.js';

useBackend();

const dir = temporaryFolder('checkpoint');

const progress = (step: number): Progress => ({
  step,
  epoch: 1,
  taken: 2,
  cursor: { pass: 0, batch: 4 },
  losses: { count: 2, sum: { total: 0.1 + 0.2, terms: { giou: 1 / 3 } } },
  stopping: { best: null, sinceBest: 0 },
  log: { lines: 10, events: 20 },
});

const made = { settings: { 'run.seed': '1' }, data: 'a digest', versions: { sonoground: '1.0.0' } };

async function write(file: string, step: number): Promise<void> {
  const tensors = new Map<string, tf.Tensor>([
    ['model.a', tf.tensor2d([1, -2, 3.5, 4, 5, 6], [2, 3])],
    ['optimiser.mean.a', tf.tensor1d([7, 8])],
  ]);
  await writeCheckpoint(file, tensors, progress(step), made);
  tf.dispose([...tensors.values()]);
}

describe('a checkpoint', () => {
  it('comes back as it was written, and leaves no tensor behind', async () => {
    const file = join(dir, 'whole.safetensors');
    expect(await leakOf(() => write(file, 3))).toBe(0);
    const { tensors, progress: read, made: others } = await readCheckpoint(file);
    expect(read).toEqual(progress(3));
    expect(others).toEqual(made);
    expect([...((await tensors.get('model.a')?.data()) ?? [])]).toEqual([1, -2, 3.5, 4, 5, 6]);
    expect(tensors.get('model.a')?.shape).toEqual([2, 3]);
    tf.dispose([...tensors.values()]);
  });

  it('tells every flipped bit, and names the tensor where one is', async () => {
    const file = join(dir, 'flipped.safetensors');
    await write(file, 3);
    const bytes = await readFile(file);
    const before = tf.memory().numTensors;
    for (let at = 0; at < bytes.length; at++) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] as number) ^ (1 << (at % 8));
      await writeFile(file, flipped);
      const inBody = at >= bytes.length - 8 * 4;
      const name = at >= bytes.length - 2 * 4 ? 'optimiser.mean.a' : 'model.a';
      await expect(readCheckpoint(file)).rejects.toThrow(inBody ? `${name} is damaged (SHA-256 differs)` : file);
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  it('that is damaged makes way for the one before it', async () => {
    const folder = new RunFolder(join(dir, 'two'));
    await folder.open();
    await write(folder.checkpointFile(4), 4);
    await write(folder.checkpointFile(8), 8);
    const bytes = await readFile(folder.checkpointFile(8));
    await writeFile(folder.checkpointFile(8), bytes.subarray(0, bytes.length - 3));
    const damaged: string[] = [];
    const found = await folder.newestCheckpoint(({ message }) => damaged.push(message));
    expect(found?.progress.step).toBe(4);
    tf.dispose([...(found?.tensors.values() ?? [])]);
    expect(damaged).toEqual([expect.stringContaining('step-00000008.safetensors')]);
    await writeFile(folder.checkpointFile(4), 'nothing');
    await expect(folder.newestCheckpoint(() => {})).rejects.toThrow(/none of its 2 checkpoints is intact/);
  });

  it('names a place that cannot be written', async () => {
    await expect(write('/dev/full/step-00000001.safetensors', 1)).rejects.toThrow(/a part of the path is a file/);
  });

  // Only an administrator may make a file system.
  const mount = (...args: string[]) => spawnSync('mount', args).status === 0;
  const canMount = process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'true']).status === 0;
  itUnless(
    canMount ? undefined : 'no file system may be mounted here',
    'stays as it is when the next one does not fit on the disk, or the disk is read-only',
    async () => {
      const small = join(dir, 'small');
      await mkdir(small);
      expect(mount('-t', 'tmpfs', '-o', 'size=8k', 'tmpfs', small)).toBe(true);
      try {
        const file = join(small, 'step-00000001.safetensors');
        await write(file, 1);
        await writeFile(join(small, 'filler'), Buffer.alloc(4096));
        await expect(write(file, 2)).rejects.toThrow(`${file}: the disk is full`);
        await rm(join(small, 'filler'));
        expect(mount('-o', 'remount,ro', small)).toBe(true);
        await expect(write(file, 2)).rejects.toThrow(`${file}: the file system is read-only`);
        const { tensors, progress: read } = await readCheckpoint(file);
        tf.dispose([...tensors.values()]);
        expect(read.step).toBe(1);
        expect(await readdir(small)).toEqual(['step-00000001.safetensors']);
      } finally {
        spawnSync('umount', [small]);
      }
    },
  );
});

describe('resuming under other settings', () => {
  const settings = {
    run: { dir: 'a', seed: 1 },
    train: { batchSize: 4, epochs: 3, groups: [{ match: '**' }] },
    lora: { rank: 4 },
  };

  it('is refused with every key that differs', () => {
    const other = { ...settings, run: { dir: 'b', seed: 2 }, train: { ...settings.train, batchSize: 8 }, lora: undefined };
    expect(() => assertSameRun('x', stepSettings(settings), other)).toThrow(
      'lora.rank was 4 and is absent; run.seed was 1 and is 2; train.batchSize was 4 and is 8',
    );
  });

  it('is allowed where a checkpoint has settings under their earlier names', () => {
    const lora = { rank: 4, targetModules: ['out'], modulesToSave: ['norm'] };
    const written = { 'lora.rank': '4', 'lora.targets': '["out"]', 'lora.trainFully': '["norm"]' };
    expect(() => assertSameRun('x', written, { lora })).not.toThrow();
    expect(() => assertSameRun('x', written, { lora: { ...lora, modulesToSave: [] } })).toThrow(
      'lora.modulesToSave was ["norm"] and is []',
    );
  });

  it('is allowed where only the length, the place or the threads differ', () => {
    const other = { ...settings, run: { dir: 'b', seed: 1 }, train: { ...settings.train, epochs: 9, workers: 2, keepLast: 3 } };
    expect(() => assertSameRun('x', stepSettings(settings), other)).not.toThrow();
  });
});
