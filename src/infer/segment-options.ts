import type { SelectOptions } from '../processing/index.js';
import { UsageError } from '../util/index.js';

/** Which of the detected boxes to return. */
export const selections = ['all', 'best-per-phrase', 'best'] as const;

export type Selection = (typeof selections)[number];

/** Options that decide which boxes are returned. */
export interface SegmentOptions extends Partial<SelectOptions> {
  /**
   * `all` boxes above the threshold, the `best-per-phrase` (at most one for each phrase), or the `best` (at most one in the
   * image). Default: `all`.
   */
  readonly select?: Selection | undefined;
  /** Lowest score of a returned box, in [0, 1]. Default: 0.3. */
  readonly scoreThreshold?: number | undefined;
}

/**
 * Converts to a detector's options.
 *
 * @throws UsageError for an unknown selection, and for thresholds outside [0, 1].
 */
export function detectorOptions({ select, scoreThreshold, ...rest }: SegmentOptions): Partial<SelectOptions> {
  if (select !== undefined && !selections.includes(select))
    throw new UsageError({ code: 'E_OPTION_VALUE', where: 'select', what: `expected ${selections.join(', ')}, got ${select}` });
  const boxThreshold = scoreThreshold ?? rest.boxThreshold;
  for (const [where, value] of Object.entries({ scoreThreshold: boxThreshold, nmsThreshold: rest.nmsThreshold }))
    if (value !== undefined && !(value >= 0 && value <= 1))
      throw new UsageError({ code: 'E_OPTION_VALUE', where, what: `expected a number from 0 to 1, got ${value}` });
  return {
    ...rest,
    ...(boxThreshold === undefined ? {} : { boxThreshold }),
    ...(select === undefined || select === 'all' ? {} : { perPhrase: 'best' as const }),
    ...(select === 'best' ? { maxDetections: 1 } : {}),
  };
}
