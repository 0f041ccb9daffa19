import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { PhantomDataset, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { encodePng } from '../../src/imaging/index.js';
import { parseShard, shardOf } from '../../src/infer/index.js';
import { UsageError } from '../../src/util/index.js';
import { runCommand, withNano } from '../support/command.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const dir = temporaryFolder('shard');
beforeAll(async () => {
  const domain = phantomDomains['standard'] as PhantomDomain;
  const phantoms = new PhantomDataset({ size: 5, seed: 7, width: 90, height: 70, domain });
  await mkdir(join(dir, 'scans', 'left'), { recursive: true });
  for (const [i, name] of ['a.png', 'a.jpg', 'left/a.png', 'b.png', 'c.png'].entries())
    await writeFile(join(dir, 'scans', name), await encodePng((await phantoms.load(i)).image));
});

const run = (...words: string[]) => runCommand(words.map((word) => word.replaceAll('@', `${dir}/`)));
const infer = (out: string, ...more: string[]) =>
  run(...withNano(['infer', '--image', '@scans', '--prompt', 'cyst. kidney.', '--threshold', '0.05', '--out', out, ...more]));
const files = async (folder: string) =>
  (await readdir(join(dir, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(dir, folder).length + 1))
    .filter((name) => !name.startsWith('shards'))
    .sort();

describe('a division', () => {
  it.each([
    [10, 3],
    [5, 5],
    [2, 7],
    [0, 2],
  ])('of %i images into %i shards has each image once, in order, in shards of nearly equal length', (size, count) => {
    const list = Array.from({ length: size }, (_, i) => i);
    const parts = Array.from({ length: count }, (_, index) => shardOf(list, { index, count }));
    expect(parts.flat()).toEqual(list);
    const lengths = parts.map(({ length }) => length);
    expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(1);
  });

  it.each(['4/4', '1', '-1/4', '0/0', 'a/b', '1/2/3'])('rejects %s', (text) => {
    expect(() => parseShard(text)).toThrow(UsageError);
  });
});

describe('infer --shard and merge', () => {
  it('give together what one run gives', async () => {
    await infer('@whole');
    for (const i of [2, 0, 1]) expect((await infer('@out', '--shard', `${i}/3`)).code).toBe(0);
    // A part that is there is not done again.
    expect((await infer('@out', '--shard', '1/3')).text).toMatch(/^0 images done.*2 done before/m);
    const parts = [0, 1, 2].map((i) => `@out/shards/${i}-of-3`);
    const merged = await run('merge', '--from', ...parts, '--to', '@out');
    expect([merged.code, merged.text]).toEqual([0, expect.stringMatching(/^5 images, \d+ objects? found in total/m)]);
    expect(await files('out')).toEqual(await files('whole'));
    for (const name of await files('whole'))
      if (!/journal|settings/.test(name))
        expect((await readFile(join(dir, 'out', name))).equals(await readFile(join(dir, 'whole', name)))).toBe(true);
    // What was merged counts as done.
    expect((await infer('@out')).text).toMatch(/^0 images done.*5 done before/m);
    expect((await run('merge', '--from', ...parts, '--to', '@out')).code).toBe(0);
  });

  it('tell what is missing, and add it when it comes', async () => {
    await infer('@late', '--shard', '0/2');
    const lacking = await run('merge', '--from', '@late/shards/0-of-2', '--to', '@late');
    expect([lacking.code, lacking.text]).toEqual([
      2,
      expect.stringMatching(/of 2 shards this one is missing: 1\. Run infer with --shard 1\/2, or add --partial/),
    ]);
    expect((await run('merge', '--from', '@late/shards/0-of-2', '--to', '@late', '--partial')).text).toMatch(/^2 images/m);
    await infer('@late', '--shard', '1/2');
    const all = await run('merge', '--from', '@late/shards/0-of-2', '@late/shards/1-of-2', '--to', '@late');
    expect(all.text).toMatch(/^5 images/m);
    expect(await readFile(join(dir, 'late', 'results.json'), 'utf8')).toBe(
      await readFile(join(dir, 'whole', 'results.json'), 'utf8'),
    );
  });

  it('refuse parts that do not belong together, are damaged, or are none', async () => {
    await infer('@other', '--shard', '0/2', '--select', 'best-per-phrase');
    const mixed = await run('merge', '--from', '@other/shards/0-of-2', '@late/shards/1-of-2', '--to', '@mixed');
    expect([mixed.code, mixed.text]).toEqual([2, expect.stringMatching(/made with other settings or models/)]);
    const divisions = await run('merge', '--from', '@out/shards/0-of-3', '@late/shards/1-of-2', '--to', '@mixed');
    expect(divisions.text).toMatch(/divisions into 3 and 2/);
    const into = await run('merge', '--from', '@other/shards/0-of-2', '--to', '@late', '--partial');
    expect([into.code, into.text]).toEqual([2, expect.stringMatching(/holds results of other settings/)]);
    await cp(join(dir, 'late', 'shards'), join(dir, 'hurt'), { recursive: true });
    await rm(join(dir, 'hurt', '1-of-2', 'overlays'), { recursive: true });
    const hurt = await run('merge', '--from', '@hurt/0-of-2', '@hurt/1-of-2', '--to', '@whole2');
    expect([hurt.code, hurt.text]).toEqual([
      1,
      expect.stringMatching(/overlays.*cannot be read \(ENOENT\)\. Run this part again/),
    ]);
    const none = await run('merge', '--from', '@scans', '--to', '@x');
    expect([none.code, none.text]).toEqual([1, expect.stringMatching(/settings\.json: there is no such file/)]);
    expect((await infer('@out', '--shard', '3/3')).text).toMatch(/there is no part 3 of 3/);
  });
});

describe('eval --shard and merge', () => {
  const evaluate = (folder: string, ...more: string[]) =>
    run(
      'eval',
      '--config',
      'configs/phantom.yaml',
      '--set',
      `run.dir=${folder}`,
      'data.phantom.train=4',
      'data.phantom.val=2',
      'data.phantom.test=5',
      ...more,
    );
  const table = (folder: string) => readFile(join(dir, folder, 'per-image.csv'), 'utf8');

  it('leave answers from which one report is made without asking again', async () => {
    const whole = await evaluate('@run-whole');
    expect([whole.code, whole.text]).toEqual([0, expect.stringMatching(/strict DSC/)]);
    for (const i of [0, 1]) {
      const part = await evaluate(`@run-${i}`, '--shard', `${i}/2`);
      expect([part.code, part.text]).toEqual([0, expect.stringMatching(/^[23] images predicted/m)]);
    }
    const merged = await run('merge', '--from', '@run-0', '@run-1', '--to', '@run-all');
    expect([merged.code, merged.text]).toEqual([0, expect.stringMatching(/^\d+ predictions added/m)]);
    expect(await files('run-all')).toEqual((await files('run-whole')).filter((name) => name.startsWith('predictions')));
    await evaluate('@run-all');
    expect(await table('run-all')).toBe(await table('run-whole'));
  });
});
