import { ConfigError } from '../util/index.js';
import type { LossReport } from './task.js';

/**
 * The number that decides which weights are best.
 *
 * @param name - `val.loss`, `train.loss`, or a part of either: `val.giou`.
 * @throws ConfigError naming what there is.
 */
export function monitored(name: string, reports: { readonly train: LossReport; readonly val: LossReport }): number {
  const [part, term = ''] = name.split('.') as [keyof typeof reports, string?];
  const { total, terms } = reports[part];
  const value = term === 'loss' ? total : terms[term];
  if (value !== undefined) return value;
  const known = ['loss', ...Object.keys(terms)].map((candidate) => `${part}.${candidate}`);
  throw new ConfigError({ where: 'train.monitor', what: `there is no ${name}`, fix: `Choose one of ${known.join(', ')}` });
}
