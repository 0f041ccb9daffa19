import { describe, expect, it } from '@jest/globals';
import type { Sample } from '../../src/data/index.js';
import { type Collected, collect, summariseProtocol } from '../../src/eval/index.js';
import { diceCoefficient } from '../../src/metrics/index.js';
import type { Method } from '../../src/protocols/index.js';
import { answered, datasetOf, methodOf, object, plain, rectangle, sample } from '../support/eval.js';

const summary = ({ rows, boxes, surveys }: Collected, protocol: 'strict' | 'paper', method = 'fake') =>
  summariseProtocol(
    rows.filter((row) => row.method === method),
    boxes.get(method) ?? new Map(),
    { protocol, names: [...surveys.keys()], seed: 1 },
  );

const run = (samples: readonly Sample[], method: Method, options: object = {}) =>
  collect([{ dataset: datasetOf(samples), methods: [method] }], { ...plain, ...options });

/** Finds an object where it is, one pixel too wide. */
const wider = (one: Sample, phrases: readonly string[], score = 0.9) =>
  one.objects
    .filter(({ phrase }) => phrases.includes(phrase))
    .map(({ phrase, boxXyxyPx: [x0, y0, x1, y1] }) => answered(phrase, score, [x0, y0, x1 + 1, y1]));

describe('two protocols side by side', () => {
  it('halves the strict DSC where half of the targets are not found, and leaves the paper’s unchanged', async () => {
    const samples = Array.from({ length: 20 }, (_, i) => sample(`s${i}`, [object('lesion', [5, 5, 15, 12 + (i % 3)])]));
    const half = methodOf('fake', (one, phrases) => (Number(one.id.slice(1)) % 2 === 0 ? wider(one, phrases) : []));
    const collected = await run(samples, half);
    const [strict, paper] = [summary(collected, 'strict').datasets['toys'], summary(collected, 'paper').datasets['toys']];
    // 10 wide against 11 wide.
    expect(paper).toMatchObject({ dsc: 95.24, n: 10, falseNegatives: 10 });
    expect(strict).toMatchObject({ dsc: 47.62, iou: 45.45, n: 20, falseNegatives: 10, detectionRate: 50, instanceRecall: 50 });
    expect(strict?.std).toBeCloseTo(47.62, 5);
    // The paper's way keeps quiet about the ones that it leaves out.
    expect(collected.rows.filter(({ protocol, falseNegative }) => protocol === 'paper' && falseNegative)).toHaveLength(10);
  });

  it('counts every instance strictly, and under the paper’s protocol the best box, against the whole ground truth', async () => {
    const two = sample('s', [object('lesion', [2, 2, 10, 10]), object('lesion', [20, 2, 28, 10])]);
    const both = methodOf('fake', (one, phrases) => wider(one, phrases));
    const one = methodOf('fake', (image, phrases) => wider(image, phrases).slice(0, 1));
    expect(summary(await run([two], both), 'strict').pooled).toMatchObject({
      dsc: 94.12,
      instanceRecall: 100,
      instanceDsc: 94.12,
    });
    const dsc = Math.round(1e4 * diceCoefficient(rectangle([2, 2, 11, 10]), rectangle([2, 2, 10, 10]))) / 100;
    expect(dsc).toBe(94.12);
    const single = await run([two], one);
    expect(summary(single, 'strict').pooled).toMatchObject({ instanceRecall: 50, instanceDsc: 47.06 });
    // 64 of 72 predicted pixels are right, of 128 true ones.
    expect(summary(single, 'paper').pooled.dsc).toBe(64);
    expect(summary(await run([two], both), 'paper').pooled.dsc).toBe(64);
  });

  it('prompts strictly with all names in every image, and under the paper’s protocol with the true one alone', async () => {
    const samples = [sample('a', [object('benign', [2, 2, 9, 9])]), sample('b', [object('malignant', [4, 4, 12, 12])])];
    const asked: string[] = [];
    const fake = methodOf('fake', (one, phrases) => {
      asked.push(`${one.id}: ${phrases.join('. ')}`);
      // It takes everything for benign unless it is told otherwise.
      return one.objects.map(({ boxXyxyPx }) => answered(phrases.includes('benign') ? 'benign' : 'malignant', 0.8, boxXyxyPx));
    });
    const collected = await run(samples, fake);
    expect(new Set(asked)).toEqual(new Set(['a: benign. malignant', 'a: benign', 'b: benign. malignant', 'b: malignant']));
    expect(summary(collected, 'paper').pooled).toMatchObject({ dsc: 100, falseNegatives: 0 });
    expect(summary(collected, 'strict').pooled).toMatchObject({
      dsc: 50,
      falseNegatives: 1,
      falsePositives: { count: 1, of: 2 },
    });
    expect(collected.warnings).toEqual([expect.stringContaining('reveals the label')]);
  });

  it('keeps the prompts of a dataset that names absent structures itself', async () => {
    const samples = [
      sample('a', [object('cyst', [2, 2, 9, 9])], { phrases: ['kidney', 'cyst'] }),
      sample('b', [object('mass', [2, 2, 9, 9])], { phrases: ['mass'] }),
    ];
    const collected = await run(
      samples,
      methodOf('fake', (one, phrases) => wider(one, phrases)),
    );
    expect(collected.rows.filter(({ protocol }) => protocol === 'strict').map(({ prompt }) => prompt)).toEqual([
      'kidney. cyst.',
      'kidney. cyst.',
      'mass.',
    ]);
  });

  it('prompts with the given words, for all structures at once if no image uses them', async () => {
    const samples = [sample('a', [object('benign', [2, 2, 9, 9])]), sample('b', [object('malignant', [4, 4, 12, 12])])];
    const fake = methodOf('fake', (one, [phrase = '']) => one.objects.map(({ boxXyxyPx }) => answered(phrase, 0.8, boxXyxyPx)));
    expect(summary(await run(samples, fake, { prompt: ['breast lesion'] }), 'strict').pooled).toMatchObject({ dsc: 100, n: 2 });
    await expect(run(samples, fake, { prompt: ['benign', 'cyst'] })).rejects.toThrow('does not ask for malignant');
  });

  it('obeys the threshold, the selection and the paper’s own threshold', async () => {
    const one = sample('s', [object('lesion', [2, 2, 10, 10])]);
    const fake = methodOf('fake', () => [answered('lesion', 0.6, [2, 2, 10, 10]), answered('lesion', 0.4, [20, 20, 30, 28])]);
    const dsc = async (options: object) => summary(await run([one], fake, options), 'strict').pooled.dsc;
    expect(await dsc({ select: 'best-per-phrase' })).toBe(100);
    expect(await dsc({ threshold: 0.5 })).toBe(100);
    // 64 of 144 predicted pixels.
    expect(await dsc({})).toBe(61.54);
    expect(await dsc({ threshold: 0.7 })).toBe(0);
    const faint = methodOf('fake', () => [answered('lesion', 0.1, [2, 2, 10, 10])]);
    expect(summary(await run([one], faint), 'paper').pooled).toMatchObject({ dsc: null, n: 0, falseNegatives: 1 });
    const enough = methodOf('fake', () => [answered('lesion', 0.11, [2, 2, 10, 10])]);
    expect(summary(await run([one], enough), 'paper').pooled).toMatchObject({ dsc: 100, n: 1, falseNegatives: 0 });
  });

  it('gives distances in millimetres only where every image has them, and a false negative the diagonal of its image', async () => {
    const spacingMm = [0.5, 0.25] as const;
    const samples = [
      sample('a', [object('lesion', [5, 5, 15, 15])], { spacingMm }),
      sample('b', [object('lesion', [5, 5, 15, 15])], { spacingMm }),
    ];
    const shifted = methodOf('fake', (one) => (one.id === 'a' ? [answered('lesion', 0.9, [9, 5, 19, 15])] : []));
    const rows = (await run(samples, shifted)).rows.filter(({ protocol }) => protocol === 'strict');
    expect(rows.map(({ unit }) => unit)).toEqual(['mm', 'mm']);
    // Four pixels of half a millimetre; 40 x 30 pixels are 20 x 7.5 mm.
    expect(rows[0]?.hd95).toBeCloseTo(2, 12);
    expect(rows[1]?.hd95).toBeCloseTo(Math.hypot(20, 7.5), 12);
    const mixed = (await run([samples[0] as Sample, sample('b', [object('lesion', [5, 5, 15, 15])])], shifted)).rows;
    expect(mixed.map(({ unit }) => unit)).toEqual(['px', 'px', 'px', 'px']);
    expect(mixed[0]?.hd95).toBeCloseTo(4, 12);
  });

  it('means datasets and organs without weights, and pools images with', async () => {
    const stu = Array.from({ length: 3 }, (_, i) => sample(`s${i}`, [object('tumor', [5, 5, 15, 15])], { dataset: 'stu' }));
    const busi = [sample('b', [object('tumor', [5, 5, 15, 15])], { dataset: 'busi' })];
    const tn3k = [sample('t', [object('nodule', [5, 5, 15, 15])], { dataset: 'tn3k' })];
    const fake = methodOf('fake', (one, phrases) => (one.dataset === 'stu' ? [] : wider(one, phrases)));
    const strict = summary(await run([...stu, ...busi, ...tn3k], fake), 'strict');
    expect(strict.datasets['stu']?.dsc).toBe(0);
    expect(strict.organs['breast']).toMatchObject({ dsc: 47.62, datasets: 2, n: 4, falseNegatives: 3 });
    expect(strict.organs['thyroid']).toMatchObject({ dsc: 95.24, datasets: 1 });
    expect(strict.overall).toMatchObject({ dsc: 63.49, datasets: 3 });
    expect(strict.pooled).toMatchObject({ dsc: 38.1, n: 5 });
  });

  it('draws whole patients', async () => {
    const samples = Array.from({ length: 12 }, (_, i) =>
      sample(`s${i}`, [object('lesion', [5, 5, 15, 15])], { group: `patient ${Math.floor(i / 6)}` }),
    );
    const fake = methodOf('fake', (one, phrases) => (one.group === 'patient 0' ? wider(one, phrases) : []));
    const { interval } = summary(await run(samples, fake), 'strict').pooled;
    // Two patients, one of them lost: nothing can be said.
    expect(interval).toEqual({ dsc: [0, 95.24], iou: [0, 90.91], groups: 2 });
    // The images of one patient say nothing of others.
    const ofOne = summary(await run(samples.slice(0, 6), fake), 'strict').pooled;
    expect(ofOne.interval).toEqual({ dsc: null, iou: null, groups: 1 });
  });

  it('counts only false positives for images that show nothing', async () => {
    const samples = [sample('full', [object('lesion', [5, 5, 15, 15])]), sample('empty', [], { phrases: ['lesion'] })];
    const fake = methodOf('fake', () => [answered('lesion', 0.9, [5, 5, 15, 15])]);
    const collected = await run(samples, fake);
    expect(summary(collected, 'strict').pooled).toMatchObject({
      dsc: 100,
      n: 1,
      falsePositives: { count: 1, of: 1 },
      ap: 100,
      ap50: 100,
    });
    expect(summary(collected, 'paper').pooled).toMatchObject({ dsc: 100, n: 1 });
    await expect(run([], fake)).rejects.toThrow('no image');
  });
});
