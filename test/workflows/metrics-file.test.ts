import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { scoreRows } from '../../src/eval/summary/dataset-score.js';
import { runConfigSchema } from '../../src/train/index.js';
import { DataError } from '../../src/util/index.js';
import { evaluateRun } from '../../src/workflows/index.js';
import { addEvaluation, METRICS_VERSION, readMetrics, writeMetrics } from '../../src/workflows/metrics-file.js';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sonoground-metrics-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** A score that can be told from others by its DSC. */
const score = (dsc: number) => ({ ...scoreRows([], [], 1), dsc });
const came = { task: 'detector', steps: 1, epochs: 1, stoppedEarly: false, bestDir: 'best' } as const;
const training = [{ ...came, monitor: 'val.dsc', bestValue: 2 }] as const;

describe('metrics.json', () => {
  it('carries its version and is read as it was written', async () => {
    const file = join(dir, 'written.json');
    const content = { test: score(50), folds: [score(40), score(60)], training };
    await writeMetrics(file, content);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ schemaVersion: METRICS_VERSION, ...content });
    expect(await readMetrics(file)).toEqual({ schemaVersion: METRICS_VERSION, ...content });
    expect(await readMetrics(join(dir, 'nowhere.json'))).toBeUndefined();
  });

  it.each([
    [
      'of an unknown older version',
      '{"test": {"dsc": 80, "iou": 70}, "training": []}',
      /it has no schemaVersion: an older version/,
    ],
    ['one of a later version', '{"schemaVersion": 99}', /its schemaVersion is 99; expected 2/],
    ['one whose version is text', '{"schemaVersion": "1"}', /its schemaVersion is .*1.*; expected 2/],
    ['a key that it does not have', '{"schemaVersion": 2, "accuracy": 3}', /accuracy/],
    ['a figure that is text', '{"schemaVersion": 2, "test": {"dsc": "80"}}', /test\.dsc: /],
    ['half a file', '{"schemaVersion": 2, "test', /it is not JSON/],
    ['a list', '[]', /it has no schemaVersion/],
    ['null', 'null', /it has no schemaVersion/],
  ])('that is %s is reported and left unchanged', async (name, text, expected) => {
    const file = join(dir, `${name}.json`);
    await writeFile(file, text);
    const adding = addEvaluation(file, { warnings: [] }, score(1));
    await expect(adding).rejects.toThrow(DataError);
    await expect(adding).rejects.toThrow(expected);
    await expect(adding).rejects.toThrow(file);
    expect(await readFile(file, 'utf8')).toBe(text);
  });

  it('of version 1 is read, added to and written as version 2', async () => {
    const file = join(dir, 'version-1.json');
    const { falseNegatives: missed, falsePositives: falseAlarms, dscWithGroundTruthBox: dscGivenTrueBox, ...same } = score(50);
    const old = { ...same, missed, falseAlarms, dscGivenTrueBox };
    await writeFile(file, JSON.stringify({ schemaVersion: 1, test: old, training: [{ ...came, bestValLoss: 0.7 }] }));
    const present = { schemaVersion: 2, test: score(50), training: [{ ...came, bestValue: 0.7 }] };
    expect(await readMetrics(file)).toEqual(present);
    await addEvaluation(file, { warnings: ['a'] });
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ ...present, warnings: ['a'] });
  });

  it.each([
    ['training that is not a list', { schemaVersion: 1, training: 3 }, /training: /],
    ['a training under the keys of both versions', { schemaVersion: 2, training: [{ ...came, bestValLoss: 1 }] }, /bestVal/],
  ])('with %s is refused by name', async (_name, content, expected) => {
    const file = join(dir, 'mixed.json');
    await writeFile(file, JSON.stringify(content));
    await expect(readMetrics(file)).rejects.toThrow(expected);
  });

  it('that is a folder is a named problem', async () => {
    await mkdir(join(dir, 'folder.json'));
    await expect(readMetrics(join(dir, 'folder.json'))).rejects.toThrow('folder.json: it cannot be read (EISDIR)');
  });

  it('of another version is refused before the models are asked', async () => {
    const run = join(dir, 'run');
    await mkdir(run);
    await writeFile(join(run, 'metrics.json'), '{"test": {"dsc": 80}}');
    const config = runConfigSchema.parse({
      run: { dir: run },
      model: { detector: join(dir, 'no-such-model') },
      data: { format: 'phantom', phantom: { train: 1, val: 1, test: 1 } },
    });
    await expect(evaluateRun(config)).rejects.toThrow('it has no schemaVersion');
  });

  it('keeps the test figures of a training when its run is evaluated in another way', async () => {
    const file = join(dir, 'trained.json');
    await writeMetrics(file, { test: score(50), training });
    await addEvaluation(file, { warnings: ['a'] }, score(10));
    expect(await readMetrics(file)).toMatchObject({ test: { dsc: 50 }, warnings: ['a'] });
  });

  it.each([
    ['models that were not trained', {}],
    ['the demo', { before: score(1), after: score(2), training }],
  ])('has the last evaluation of %s as its test scores', async (name, content) => {
    const file = join(dir, `${name}.json`);
    await writeMetrics(file, content);
    for (const dsc of [10, 20]) {
      await addEvaluation(file, {}, score(dsc));
      expect((await readMetrics(file))?.test?.dsc).toBe(dsc);
    }
    await addEvaluation(file, {});
    expect((await readMetrics(file))?.test?.dsc).toBe(20);
  });
});
