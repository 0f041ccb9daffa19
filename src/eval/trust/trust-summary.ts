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

/** Targets whose predicted quality is in one tenth of the scale. Percent. */
type ReliabilityBin = z.infer<typeof reliabilityBinSchema>;

/** See {@link TrustSummary}. */
export const trustSchema = z
  .strictObject({
    /** Number of targets found. False negatives are 0 on both sides and would inflate the correlation. */
    n: z.int(),
    /** Number of false negatives. */
    falseNegatives: z.int(),
    /**
     * Rank correlation of predicted quality, and of each component, with the actual DSC; null for components that were not
     * computed.
     */
    spearman: z
      .record(z.enum(['predictedQuality', 'maskerScore', 'flipAgreement', 'wordingAgreement']), z.number().nullable())
      .readonly(),
    /** Mean absolute difference between predicted quality and DSC over the bins, weighted by size. */
    calibrationError: z.number().nullable(),
    bins: z.array(reliabilityBinSchema).readonly(),
  })
  .readonly();

/** Reliability of predicted quality. Percent, except for correlations. */
export type TrustSummary = z.infer<typeof trustSchema>;

const BINS = 10;

/** Compares predicted quality with the actual DSC, over targets that were found. */
export function summariseTrust(rows: readonly TrustedRow[]): TrustSummary {
  const falseNegatives = rows.filter((row) => row.shown && row.falseNegative).length;
  const shown = rows.filter((row) => row.shown && !row.falseNegative);
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
    falseNegatives,
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

/** The review list: lowest predicted quality first, independent of the ground truth. */
export function reviewTable(rows: readonly TrustedRow[]): Table {
  const sorted = [...rows]
    .filter(({ predicted, shown }) => predicted > 0 || shown)
    .sort((a, b) => a.predictedQuality - b.predictedQuality);
  const cell = (fraction: number | undefined) => (fraction === undefined ? null : (100 * fraction).toFixed(1));
  return {
    id: 'review',
    title: 'For review, lowest predicted quality first (percent)',
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
        row.shown ? cell(row.dsc) : 'absent',
      ],
    })),
    notes: [
      'Predicted quality is the mean of the masker’s own estimate and the agreements that were computed; it does not use the ground truth.',
    ],
  };
}
