import { copyFile, cp, mkdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { writeCoco } from '../../src/data/coco.js';
import { CocoDataset, PhantomDataset, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { runConfigSchema, type TrainerOptions, train } from '../../src/train/index.js';
import { readCheckpoint } from '../../src/train/run-folder/checkpoint.js';
import { digestOf, recordData } from '../../src/train/run-folder/data-record.js';
import { otherVersions, stepVersions } from '../../src/train/run-folder/versions.js';
import { InUseError } from '../../src/util/index.js';
import { useBackend } from '../support/backend.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { toyTask } from '../support/toy-task.js';

useBackend();

const dir = temporaryFolder('same-data');
beforeAll(async () => {
  const domain = phantomDomains['shifted'] as PhantomDomain;
  const phantoms = (size: number, seed: number) => new PhantomDataset({ size, seed, width: 24, height: 20, domain });
  await writeCoco(phantoms(4, 1), join(dir, 'data'), 'train');
  await cp(join(dir, 'data'), join(dir, 'others'), { recursive: true });
  await writeCoco(phantoms(2, 2), join(dir, 'val'), 'val');
});

interface Run {
  readonly data: string;
  readonly run: string;
  readonly epochs?: number;
}

async function options({ data, run, epochs = 1 }: Run): Promise<TrainerOptions & { warnings: string[] }> {
  const { train: config } = runConfigSchema.parse({
    run: { dir },
    data: { format: 'phantom' },
    train: { epochs, batchSize: 2, schedule: 'constant', warmupSteps: 0 },
  });
  const warnings: string[] = [];
  return {
    task: toyTask(),
    train: await CocoDataset.open(join(dir, data), 'train'),
    val: await CocoDataset.open(join(dir, 'val'), 'val'),
    config,
    seed: 4,
    dir: join(dir, run),
    logger: { info: () => {}, warn: (line) => warnings.push(line) },
    warnings,
  };
}

/** A copy of the data in which something is done. */
async function changed(name: string, change: (root: string, images: string[]) => Promise<void>): Promise<string> {
  await cp(join(dir, 'data'), join(dir, name), { recursive: true });
  const file = join(dir, name, 'annotations', 'train.json');
  const { images } = JSON.parse(await readFile(file, 'utf8')) as { images: { file_name: string }[] };
  await change(
    join(dir, name),
    images.map(({ file_name }) => file_name),
  );
  return name;
}

interface Coco {
  images: { id: number }[];
  annotations: { image_id: number; bbox: number[] }[];
}

function withoutLast(coco: Coco): void {
  const last = coco.images.pop();
  coco.annotations = coco.annotations.filter(({ image_id }) => image_id !== last?.id);
}

async function edit(root: string, how: (coco: Coco) => void): Promise<void> {
  const file = join(root, 'annotations', 'train.json');
  const coco = JSON.parse(await readFile(file, 'utf8'));
  how(coco);
  await writeFile(file, JSON.stringify(coco));
}

describe('a run that is resumed', () => {
  const REFUSED = 'the run was trained on other data: ';

  it.each<[string, string, (root: string, images: string[]) => Promise<void>]>([
    [
      'an image replaced by one of the same size and date',
      '1 image changed (train ',
      async (root, [first, second]) => {
        const [file, other] = [join(root, 'images', String(first)), join(root, 'images', String(second))];
        const { mtime, size } = await stat(file);
        await copyFile(other, file);
        // A PNG may be followed by anything.
        const bytes = await readFile(file);
        await writeFile(file, Buffer.concat([bytes, Buffer.alloc(Math.max(0, size - bytes.length))]));
        await utimes(file, mtime, mtime);
      },
    ],
    ['another box', '1 image changed (train ', (root) => edit(root, ({ annotations: [first] }) => first?.bbox.fill(3))],
    ['one image fewer', '1 image removed (train ', (root) => edit(root, withoutLast)],
    ['another order', 'the images are in another order', (root) => edit(root, ({ images }) => images.reverse())],
  ])('refuses %s, by name', async (name, what, change) => {
    const run = `run ${name}`;
    await train(await options({ data: 'data', run }));
    const data = await changed(name, change);
    const before = await readFile(join(dir, run, 'log.jsonl'));
    const again = await options({ data, run, epochs: 2 });
    await expect(train({ ...again, resume: true })).rejects.toThrow(`${REFUSED}${what}`);
    expect(await readFile(join(dir, run, 'log.jsonl'))).toEqual(before);
    // The way on.
    const wanted = await options({ data, run, epochs: 2 });
    await train({ ...wanted, resume: true, allowChangedData: true });
    expect(wanted.warnings).toEqual([expect.stringContaining('the data have changed')]);
    // From then on these are its data.
    const third = await options({ data, run, epochs: 3 });
    await train({ ...third, resume: true });
    expect(third.warnings).toEqual([]);
  });

  it('refuses other files of the model that it started from', async () => {
    const model = join(dir, 'model');
    await mkdir(model);
    await writeFile(join(model, 'model.safetensors'), 'a');
    await train({ ...(await options({ data: 'data', run: 'model run' })), models: { nano: model } });
    await writeFile(join(model, 'model.safetensors'), 'b');
    const again = { ...(await options({ data: 'data', run: 'model run', epochs: 2 })), models: { nano: model }, resume: true };
    await expect(train(again)).rejects.toThrow(`${REFUSED}the model nano has other files`);
  });

  it('takes a copy of its data for the same', async () => {
    const run = 'run of a copy';
    await train(await options({ data: 'data', run }));
    const again = await options({ data: await changed('copy', async () => {}), run, epochs: 2 });
    expect(await train({ ...again, resume: true })).toMatchObject({ epochs: 2 });
    expect(again.warnings).toEqual([]);
  });

  it('keeps in each checkpoint which data and versions it was made with', async () => {
    const given = await options({ data: 'data', run: 'kept' });
    await train(given);
    const { made, tensors } = await readCheckpoint(join(dir, 'kept', 'checkpoints', 'step-00000002.safetensors'));
    for (const tensor of tensors.values()) tensor.dispose();
    expect(made.data).toBe(digestOf(await recordData({ train: given.train, val: given.val })));
    expect(made.versions).toMatchObject({ sonoground: expect.stringMatching(/^\d/), tfjs: expect.stringMatching(/^\d/) });
  });
});

describe('other versions', () => {
  it('are listed one by one, and equal ones are not', () => {
    const before = stepVersions({ sonoground: '1.0.0', commit: 'a', backend: 'tensorflow', tensorflow: '2.9.1', tfjs: '4.22.0' });
    const now = { ...before, commit: 'b', tensorflow: '2.21.0' };
    expect(otherVersions(before, now)).toBe('commit was a and is b, tensorflow was 2.9.1 and is 2.21.0');
    expect(otherVersions(now, now)).toBeUndefined();
  });
});

describe('a run folder', () => {
  it('has one training at a time: a second one leaves the files of the first alone', async () => {
    const first = await options({ data: 'data', run: 'shared', epochs: 2 });
    const second: unknown[] = [];
    let begin = () => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const work = train({ ...first, onProgress: () => begin() });
    await begun;
    for (const resume of [false, true])
      second.push(await train({ ...(await options({ data: 'data', run: 'shared' })), resume }).catch((error: unknown) => error));
    await work;
    for (const error of second) expect(error).toBeInstanceOf(InUseError);
    const lines = (await readFile(join(dir, 'shared', 'log.jsonl'), 'utf8')).trim().split('\n');
    const steps = lines.map((line) => JSON.parse(line)).flatMap(({ event, step }) => (event === 'step' ? [step] : []));
    expect(steps).toEqual([1, 2, 3, 4]);
  });
});
