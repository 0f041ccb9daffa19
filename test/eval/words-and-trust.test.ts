import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Sample } from '../../src/data/index.js';
import { collect, readWordings } from '../../src/eval/index.js';
import { calibratePresence } from '../../src/eval/presence/calibrate.js';
import { summarisePresence } from '../../src/eval/presence/presence-summary.js';
import { robustnessTable, summariseRobustness } from '../../src/eval/robustness/robustness-summary.js';
import { wordingsOf } from '../../src/eval/robustness/wordings.js';
import type { TrustedRow } from '../../src/eval/trust/trust-rows.js';
import { reviewTable, summariseTrust } from '../../src/eval/trust/trust-summary.js';
import { presenceVerdict, readCalibration, writeCalibration } from '../../src/infer/index.js';
import { mirrorImage, mirrorMask, mirrorPhrase } from '../../src/processing/index.js';
import type { TargetRow } from '../../src/protocols/index.js';
import { answered, datasetOf, methodOf, object, plain, rectangle, sample } from '../support/eval.js';
import { expectError } from '../support/expect-error.js';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sonoground-words-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const lesions = (n: number) => Array.from({ length: n }, (_, i) => sample(`s${i}`, [object('lesion', [4, 4, 14, 14])]));
const judge = (samples: readonly Sample[], method: Parameters<typeof methodOf>[1], options: object = {}) =>
  collect([{ dataset: datasetOf(samples), methods: [methodOf('ours', method)] }], { ...plain, ...options });

describe('wordings', () => {
  it('come as a list, as a file of your own and as word lists of datasets', async () => {
    const list = await readWordings('breast lesion., tumor,');
    expect(wordingsOf(list, 'mass')).toEqual(['mass', 'breast lesion', 'tumor']);
    await writeFile(join(dir, 'own.yaml'), 'lesion: [tumor, mass]\n');
    const own = await readWordings(join(dir, 'own.yaml'));
    expect(wordingsOf(own, 'lesion')).toEqual(['lesion', 'tumor', 'mass']);
    expect(wordingsOf(own, 'kidney')).toEqual(['kidney']);
    await writeFile(
      join(dir, 'stu.yaml'),
      'classes:\n  tumor: {strict: breast lesion, paper: tumor, synonyms: [mass], study: [outline the tumor]}\n',
    );
    const lists = await readWordings(join(dir, 'stu.yaml'));
    expect(wordingsOf(lists, 'tumor')).toEqual(['tumor', 'breast lesion', 'mass', 'outline the tumor']);
    expect(wordingsOf(lists, 'breast lesion')).toEqual(['breast lesion', 'mass', 'outline the tumor']);
    expect((await readWordings('default', dir)).get('lesion')).toEqual(['tumor', 'mass']);
  });

  it('are refused when there are none', async () => {
    await expectError(readWordings(' , '), { code: 'E_PROMPT_TEXT', where: '--prompts', what: 'names no wording' });
    await expectError(readWordings('nowhere.yaml'), {
      code: 'E_FILE_NOT_FOUND',
      where: '--prompts',
      what: 'there is no file nowhere.yaml',
    });
    await expectError(readWordings('default', join(dir, 'nowhere')), { code: 'E_FILE_NOT_FOUND', where: '--prompts default' });
    await writeFile(join(dir, 'bad.yaml'), 'lesion: 3\n');
    await expectError(readWordings(join(dir, 'bad.yaml')), { code: 'E_CONFIG_VALUE', what: 'lesion' });
    await rm(join(dir, 'bad.yaml'));
  });

  it('spread as their means do, and agree as their masks do', async () => {
    const boxes = { lesion: [4, 4, 14, 14], mass: [4, 4, 14, 9] } as const;
    const { wordingRows } = await judge(
      lesions(3),
      (_one, [phrase = '']) => (phrase in boxes ? [answered(phrase, 0.9, boxes[phrase as 'mass'])] : []),
      { wordings: () => ['lesion', 'mass', 'lump'] },
    );
    const [structure] = summariseRobustness(wordingRows);
    // Halves: 2 x 50 / 150.
    expect(structure?.wordings.map(({ wording, dsc, falseNegatives }) => [wording, dsc, falseNegatives])).toEqual([
      ['lesion', 100, 0],
      ['mass', 66.67, 0],
      ['lump', 0, 3],
    ]);
    expect(structure?.wordings[2]?.paper).toMatchObject({ dsc: null, n: 0 });
    expect(structure).toMatchObject({ spread: 100, consistency: 22.22 });
    if (structure === undefined) throw new Error('there is no structure');
    expect(robustnessTable([structure]).rows).toHaveLength(4);
  });
});

describe('trust in masks', () => {
  it('sees images, masks and words in a mirror', () => {
    const image = { width: 2, height: 1, data: new Uint8Array([1, 2, 3, 4, 5, 6]) };
    expect([...mirrorImage(image).data]).toEqual([4, 5, 6, 1, 2, 3]);
    expect(mirrorImage(mirrorImage(image))).toEqual(image);
    expect(mirrorMask(rectangle([0, 0, 5, 3]))).toEqual(rectangle([35, 0, 40, 3]));
    expect(mirrorPhrase('left lower back muscle, right one')).toBe('right lower back muscle, left one');
  });

  it('is high where the mirrored image and other words agree, low where they do not', async () => {
    const samples = lesions(2);
    const { rows } = await judge(
      samples,
      (one, [phrase = '']) => {
        const mirrored = samples.every(({ image }) => image !== one.image);
        // In the mirror the first lesion is found where it is then; the second is taken to be where it was.
        return [answered(phrase, 0.8, one.id === 's0' && mirrored ? [26, 4, 36, 14] : [4, 4, 14, 14])];
      },
      { trust: true },
    );
    const strict = rows.filter((row): row is TrustedRow => row.protocol === 'strict');
    expect(strict.map(({ image, flipAgreement }) => [image, flipAgreement])).toEqual([
      ['s0', 1],
      ['s1', 0],
    ]);
    expect(strict[0]?.predictedQuality).toBeCloseTo(0.9, 12);
    expect(strict[1]?.predictedQuality).toBeCloseTo(0.4, 12);
  });

  it('is computed over what was found, and lists the least trusted first', () => {
    const row = (image: string, predictedQuality: number, dsc: number, falseNegative = false) =>
      ({
        image,
        dataset: 'toys',
        target: 'lesion',
        shown: true,
        falseNegative,
        predicted: falseNegative ? 0 : 1,
        predictedQuality,
        maskerScore: undefined,
        detectorScore: 0.5,
        dsc,
      }) as TrustedRow;
    const rows = [row('a', 0.95, 0.9), row('b', 0.4, 0.5), row('c', 0.75, 0.7), row('lost', 0, 0, true)];
    const summary = summariseTrust(rows);
    expect(summary).toMatchObject({
      n: 3,
      falseNegatives: 1,
      calibrationError: 6.67,
      spearman: { predictedQuality: 1, maskerScore: null },
    });
    expect(summary.bins[9]).toEqual({ from: 90, to: 100, n: 1, predicted: 95, dsc: 90 });
    expect(reviewTable(rows).rows.map(({ cells }) => cells[0])).toEqual(['lost', 'b', 'c', 'a']);
    expect(summariseTrust([])).toMatchObject({ n: 0, calibrationError: null });
  });
});

describe('not in this image', () => {
  const row = (target: string, shown: boolean, detectorScore: number) => ({ target, shown, detectorScore }) as TargetRow;
  const rows = [
    ...Array.from({ length: 40 }, (_, i) => row('cyst', false, i / 100)),
    ...Array.from({ length: 10 }, (_, i) => row('cyst', true, (35 + i) / 100)),
    ...Array.from({ length: 5 }, () => row('mass', false, 0.9)),
  ];

  it('is a threshold for a stated rate of false positives, for phrases of their own where there are enough images', async () => {
    const calibration = calibratePresence(rows, { falsePositiveRate: 0.05, source: 'val of toys', model: 'm' });
    const { threshold, falsePositiveRate, detectionRate } = calibration.perPhrase['cyst'] ?? {};
    // 2 of 40: the scores 0.39 and 0.38 pass, 0.37 does not.
    expect(threshold).toBeGreaterThan(0.37);
    expect(threshold).toBeLessThan(0.38);
    expect(falsePositiveRate).toBe(0.05);
    expect(detectionRate).toBe(0.7);
    expect(calibration.perPhrase).not.toHaveProperty('mass');
    expect(await writeCalibration(dir, calibration)).toBe(join(dir, 'calibration.json'));
    const read = await readCalibration(dir);
    expect(read).toEqual(calibration);
    if (read === undefined) throw new Error('there is no calibration');
    // A file of version 1, under its own names.
    const old = JSON.stringify({ ...calibration, version: 1 }).replaceAll('alsePositiveRate', 'alseAlarmRate');
    await writeFile(join(dir, 'calibration.json'), old);
    expect(old).toContain('targetFalseAlarmRate');
    expect(await readCalibration(dir)).toEqual(calibration);
    expect(presenceVerdict(read, 'cyst', 0.38)).toMatchObject({ present: true, ownThreshold: true, falsePositiveRate: 0.05 });
    expect(presenceVerdict(read, 'cyst', 0.37)).toMatchObject({ present: false });
    expect(presenceVerdict(read, 'constructor', 0.5)).toMatchObject({ present: false, ownThreshold: false });
  });

  it('is an area under a curve', () => {
    const { auc, perPhrase, present, absent } = summarisePresence(rows);
    expect({ present, absent }).toEqual({ present: 10, absent: 45 });
    // Of 400 pairs of a cyst and no cyst 385 are in order and 5 are tied: the scores 0.35 to 0.39 occur on both sides.
    expect(perPhrase['cyst']?.auc).toBeCloseTo((385 + 2.5) / 400, 4);
    expect(perPhrase['mass']?.auc).toBeNull();
    expect(auc).toBeLessThan(0.95);
  });

  it('needs images without the thing, and a file that was not damaged', async () => {
    const none = rows.filter(({ shown }) => shown);
    expectError(() => calibratePresence(none, { falsePositiveRate: 0.05, source: 'val of toys', model: 'm' }), {
      code: 'E_OPTION_MISSING',
      where: '--calibrate',
      fix: '--negatives',
    });
    expect(await readCalibration(join(dir, 'nowhere'))).toBeUndefined();
    await writeFile(join(dir, 'calibration.json'), '{"version": 1}');
    await expectError(readCalibration(dir), { code: 'E_CALIBRATION_DAMAGED' });
  });
});
