import { ConfigError } from '../util/index.js';
import type { LossReport } from './task.js';

/** Scores of a model's answers that can be asked for beside its losses. Where they are not, they are not computed. */
const SCORES = ['dsc', 'boxIou'] as const;

export type AnswerScore = (typeof SCORES)[number];

/** Parts of losses that grow as the model gets better: the masker's IoU with the truth. */
const RISING: readonly string[] = [...SCORES, 'overlap'];

/** Whether small or large values of a monitored number are good. */
export function modeOf(monitor: string): 'min' | 'max' {
  return RISING.includes(termOf(monitor)) ? 'max' : 'min';
}

/** The score of the model's answers that a monitor names, if it names one. */
export function scoreAsked(monitor: string): AnswerScore | undefined {
  return SCORES.find((score) => monitor === `val.${score}`);
}

/**
 * The number that decides which weights are best.
 *
 * @param name - `val.loss`, `train.loss`, a part of either, as in `val.giou`, or a score of the answers, as in `val.dsc`.
 * @throws ConfigError naming what there is.
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
