import { z } from 'zod';
import { holm, pairedBootstrap, percent, wilcoxonSignedRank } from '../../metrics/index.js';
import { foldImages, type ImageScore, type ProtocolName, protocols, type TargetRow } from '../../protocols/index.js';
import { between } from '../tables/figures.js';
import type { Table } from '../tables/table.js';
import { endsOf, endsSchema } from './dataset-score.js';

const pValues = z.strictObject({ p: z.number(), holm: z.number() }).readonly();

/** See {@link Comparison}. */
export const comparisonSchema = z
  .strictObject({
    protocol: z.enum(protocols),
    dataset: z.string(),
    methods: z.tuple([z.string(), z.string()]).readonly(),
    /** Number of images scored by both. Strict: all; paper: those in which neither has a false negative. */
    n: z.int(),
    /** Mean DSC of the first minus that of the second, in percent, with a 95 % bootstrap interval over patients; null for one. */
    difference: z.number(),
    interval: endsSchema.nullable(),
    /** Two-sided, uncorrected and with Holm's correction over all comparisons of the protocol. */
    wilcoxon: pValues,
    bootstrap: pValues,
  })
  .readonly();

/** A paired test of two methods on the same images. */
export type Comparison = z.infer<typeof comparisonSchema>;

/** Name for the union of all datasets. */
const ALL = 'all images';

/** Compares every pair of methods on each dataset and on all images together. */
export function compareMethods(
  rows: readonly TargetRow[],
  methods: readonly string[],
  datasets: readonly string[],
  seed: number,
): Comparison[] {
  const pairs = methods.flatMap((a, i) => methods.slice(i + 1).map((b) => [a, b] as const));
  return protocols.flatMap((protocol) => {
    const scores = new Map(methods.map((method) => [method, scoresOf(rows, method, protocol)]));
    const names = datasets.length > 1 ? [...datasets, ALL] : datasets;
    const raw = names.flatMap((dataset) => pairs.flatMap((pair) => compare(protocol, dataset, pair, scores, seed) ?? []));
    const corrected = [holm(raw.map(({ wilcoxon }) => wilcoxon.p)), holm(raw.map(({ bootstrap }) => bootstrap.p))] as const;
    return raw.map((one, i) => ({
      ...one,
      wilcoxon: { p: one.wilcoxon.p, holm: corrected[0][i] as number },
      bootstrap: { p: one.bootstrap.p, holm: corrected[1][i] as number },
    }));
  });
}

function scoresOf(rows: readonly TargetRow[], method: string, protocol: ProtocolName): ReadonlyMap<string, ImageScore> {
  const own = rows.filter((row) => row.method === method && row.protocol === protocol);
  const images =
    protocol === 'paper'
      ? foldImages(own.map((row) => ({ ...row, image: JSON.stringify([row.image, row.target]) })))
      : foldImages(own);
  return new Map(images.filter(({ counts }) => counts).map((image) => [JSON.stringify([image.dataset, image.image]), image]));
}

function compare(
  protocol: ProtocolName,
  dataset: string,
  pair: readonly [string, string],
  scores: ReadonlyMap<string, ReadonlyMap<string, ImageScore>>,
  seed: number,
): Comparison | undefined {
  const [first, second] = pair.map((method) => scores.get(method) as ReadonlyMap<string, ImageScore>) as [
    ReadonlyMap<string, ImageScore>,
    ReadonlyMap<string, ImageScore>,
  ];
  const both = [...first].filter(([key, image]) => second.has(key) && (dataset === ALL || image.dataset === dataset));
  if (both.length === 0) return undefined;
  const a = both.map(([, image]) => image.dsc);
  const b = both.map(([key]) => (second.get(key) as ImageScore).dsc);
  const groups = both.map(([, image]) => image.group);
  const { difference, p, ...interval } = pairedBootstrap(a, b, groups, { seed });
  const test = wilcoxonSignedRank(a, b);
  return {
    protocol,
    dataset,
    methods: [...pair],
    n: both.length,
    difference: percent(difference),
    interval: endsOf(interval),
    wilcoxon: { p: test.p, holm: test.p },
    bootstrap: { p, holm: p },
  };
}

/** One line per comparison. */
export function comparisonTable(comparisons: readonly Comparison[]): Table {
  const p = (value: number) => (value < 1e-4 ? '< 0.0001' : value.toFixed(4));
  return {
    id: 'comparison',
    title: 'Comparison of methods, paired by image',
    columns: [
      'protocol',
      'dataset',
      'first',
      'second',
      'n',
      'DSC difference',
      '95 % interval',
      'Wilcoxon p',
      'Holm',
      'bootstrap p',
      'Holm',
    ],
    rows: comparisons.map(({ protocol, dataset, methods, n, difference, interval, wilcoxon, bootstrap }) => ({
      cells: [
        protocol,
        dataset,
        methods[0],
        methods[1],
        n,
        difference.toFixed(2),
        between(interval),
        p(wilcoxon.p),
        p(wilcoxon.holm),
        p(bootstrap.p),
        p(bootstrap.holm),
      ],
    })),
    notes: [
      'Two-sided. Wilcoxon’s signed-rank test over images; the bootstrap resamples patients where they are known, and says nothing of one (no interval, p = 1). Holm: corrected for all comparisons of the protocol.',
      'Strict: a false negative counts 0. Paper: only images without a false negative of either method.',
    ],
  };
}
