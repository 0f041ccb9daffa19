import { ConfigError } from '../util/index.js';
import type { LossReport } from './tasks/index.js';

/** Scores that can be monitored instead of losses. They are only computed on request. */
const SCORES = ['dsc', 'boxIou'] as const;

export type AnswerScore = (typeof SCORES)[number];

/** Loss terms that rise as the model improves: `overlap` is the masker's IoU with the ground truth. */
const RISING: readonly string[] = [...SCORES, 'overlap'];

/** Whether small or large values of a monitored quantity are better. */
export function modeOf(monitor: string): 'min' | 'max' {
  return RISING.includes(termOf(monitor)) ? 'max' : 'min';
}

/** The score that a monitor names, or undefined if it names a loss. */
export function scoreAsked(monitor: string): AnswerScore | undefined {
  return SCORES.find((score) => monitor === `val.${score}`);
}

/**
 * The value that selects the best weights.
 *
 * @param name - `val.loss`, `train.loss`, a term of either, as in `val.giou`, or a score, as in `val.dsc`.
 * @throws ConfigError listing the available names.
 */
export function monitored(name: string, reports: { readonly train: LossReport; readonly val: LossReport }): number {
  const [part] = name.split('.') as [keyof typeof reports];
  const { total, terms } = reports[part];
  const value = termOf(name) === 'loss' ? total : terms[termOf(name)];
  if (value !== undefined) return value;
  const others = part === 'val' ? SCORES.filter((score) => score !== termOf(name)) : [];
  const known = [...new Set(['loss', ...Object.keys(terms), ...others])].map((candidate) => `${part}.${candidate}`);
  throw new ConfigError({
    code: 'E_CONFIG_VALUE',
    where: 'train.monitor',
    what: `there is no ${name}`,
    fix: `Choose one of ${known.join(', ')}`,
  });
}

function termOf(monitor: string): string {
  return monitor.split('.')[1] ?? '';
}
