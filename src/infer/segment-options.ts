import { type SelectOptions, selections } from '../processing/index.js';
import { nearest, UsageError } from '../util/index.js';

/** Options that decide which boxes are returned. The threshold is 0.3 by default. */
export type SegmentOptions = Partial<SelectOptions>;

const KEYS = ['threshold', 'select', 'nmsThreshold', 'maxDetections'] as const satisfies readonly (keyof SegmentOptions)[];

/** @throws UsageError for a selection or an option that there is not, and thresholds outside of [0, 1]. */
export function checkSegmentOptions(options: SegmentOptions): void {
  const unknown = Object.keys(options).find((key) => !(KEYS as readonly string[]).includes(key));
  if (unknown !== undefined) {
    const near = nearest(unknown, KEYS);
    const what = near === undefined ? 'there is no such option' : `there is no such option, did you mean ${near}?`;
    throw new UsageError({ code: 'E_OPTION_VALUE', where: unknown, what, fix: `Options are ${KEYS.join(', ')}` });
  }
  const { select, threshold, nmsThreshold } = options;
  if (select !== undefined && !selections.includes(select))
    throw new UsageError({ code: 'E_OPTION_VALUE', where: 'select', what: `expected ${selections.join(', ')}, got ${select}` });
  for (const [where, value] of Object.entries({ threshold, nmsThreshold }))
    if (value !== undefined && !(value >= 0 && value <= 1))
      throw new UsageError({ code: 'E_OPTION_VALUE', where, what: `expected a number from 0 to 1, got ${value}` });
}
