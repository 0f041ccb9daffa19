import type { SelectOptions } from '../processing/index.js';
import { UsageError } from '../util/index.js';

/** Which of the boxes that were found count. */
export const selections = ['all', 'best-per-phrase', 'best'] as const;

export type Selection = (typeof selections)[number];

/** What counts as found. */
export interface SegmentOptions extends Partial<SelectOptions> {
  /**
   * `all` boxes above the threshold, the `best-per-phrase` (at most one for each phrase), or the `best` (at most one in the
   * image). Default: `all`.
   */
  readonly select?: Selection | undefined;
}

/**
 * The same as a detector takes it.
 *
 * @throws UsageError for a selection that there is not, and thresholds outside of [0, 1].
 */
export function detectorOptions({ select, ...rest }: SegmentOptions): Partial<SelectOptions> {
  if (select !== undefined && !selections.includes(select))
    throw new UsageError({ where: 'select', what: `expected ${selections.join(', ')}, got ${select}` });
  const { threshold, nmsThreshold } = rest;
  for (const [where, value] of Object.entries({ threshold, nmsThreshold }))
    if (value !== undefined && !(value >= 0 && value <= 1))
      throw new UsageError({ where, what: `expected a number from 0 to 1, got ${value}` });
  return {
    ...rest,
    ...(select === undefined || select === 'all' ? {} : { perPhrase: 'best' as const }),
    ...(select === 'best' ? { maxDetections: 1 } : {}),
  };
}
