import { z } from 'zod';
import { mean, percentOrNull, roundedOrNull, spearman } from '../../metrics/index.js';
import type { Table } from '../tables/table.js';
import type { TrustedRow } from './trust-rows.js';

/** See {@link ReliabilityBin}. */
const reliabilityBinSchema = z
  .strictObject({
    from: z.number(),
    to: z.number(),
    n: z.int(),
    predicted: z.number().nullable(),
    dsc: z.number().nullable(),
  })
  .readonly();

/** Targets whose predicted quality lies in one tenth of the scale. Percent. */
type ReliabilityBin = z.infer<typeof reliabilityBinSchema>;

/** See {@link TrustSummary}. */
export const trustSchema = z
  .strictObject({
    /** Targets that are shown and of which something was found: what was missed is 0 on both sides and would flatter. */
    n: z.int(),
    /** Targets that are shown, but of which nothing was found. */
    missed: z.int(),
    /** Rank correlation of predicted quality, and of each of its parts, with the true DSC; null where a part was not taken. */
    spearman: z
      .record(z.enum(['predictedQuality', 'maskerScore', 'flipAgreement', 'wordingAgreement']), z.number().nullable())
      .readonly(),
    /** Mean distance between predicted quality and DSC over the bins, weighted by their targets. */
    calibrationError: z.number().nullable(),
    bins: z.array(reliabilityBinSchema).readonly(),
  })
  .readonly();

/** How far predicted quality can be trusted. Percent, the correlations apart. */
export type TrustSummary = z.infer<typeof trustSchema>;

const BINS = 10;

/** Compares predicted quality with the true DSC, over targets that are shown and found. */
export function summariseTrust(rows: readonly TrustedRow[]): TrustSummary {
  const missed = rows.filter((row) => row.shown && row.missed).length;
  const shown = rows.filter((row) => row.shown && !row.missed);
  const bins = Array.from({ length: BINS }, (_, k): ReliabilityBin => {
    const inside = shown.filter(({ predictedQuality }) => Math.min(BINS - 1, Math.floor(predictedQuality * BINS)) === k);
    const [predicted, dsc] = [mean(inside.map((row) => row.predictedQuality)), mean(inside.map((row) => row.dsc))];
    return {
      from: (100 * k) / BINS,
      to: (100 * (k + 1)) / BINS,
      n: inside.length,
      predicted: percentOrNull(predicted),
      dsc: percentOrNull(dsc),
    };
  });
  const gap = bins.reduce((sum, { n, predicted, dsc }) => sum + n * Math.abs((predicted ?? 0) - (dsc ?? 0)), 0);
  const correlation = (pick: (row: TrustedRow) => number | undefined) => {
    const known = shown.filter((row) => pick(row) !== undefined);
    const value = spearman(
      known.map((row) => pick(row) as number),
      known.map((row) => row.dsc),
    );
    return Number.isFinite(value) ? Math.round(value * 1000) / 1000 : null;
  };
  return {
    n: shown.length,
    missed,
    spearman: {
      predictedQuality: correlation((row) => row.predictedQuality),
      maskerScore: correlation((row) => row.maskerScore),
      flipAgreement: correlation((row) => row.flipAgreement),
      wordingAgreement: correlation((row) => row.wordingAgreement),
    },
    calibrationError: roundedOrNull(gap / shown.length),
    bins,
  };
}

/** The list for review: the least trusted first, whatever the truth says. */
export function reviewTable(rows: readonly TrustedRow[]): Table {
  const sorted = [...rows]
    .filter(({ predicted, shown }) => predicted > 0 || shown)
    .sort((a, b) => a.predictedQuality - b.predictedQuality);
  const cell = (fraction: number | undefined) => (fraction === undefined ? null : (100 * fraction).toFixed(1));
  return {
    id: 'review',
    title: 'For review, least trusted first (percent)',
    columns: ['image', 'dataset', 'target', 'predicted quality', 'masker', 'flip', 'wordings', 'detector', 'true DSC'],
    rows: sorted.map((row) => ({
      cells: [
        row.image,
        row.dataset,
        row.target,
        cell(row.predictedQuality),
        cell(row.maskerScore),
        cell(row.flipAgreement),
        cell(row.wordingAgreement),
        cell(row.detectorScore),
        row.shown ? cell(row.dsc) : 'not shown',
      ],
    })),
    notes: [
      'Predicted quality is the mean of the masker’s own estimate and of the agreements that were taken; it does not look at the truth.',
    ],
  };
}
