import { ConfigError } from '../../util/index.js';
import type { Ranks } from './ranks.js';

/** @throws ConfigError when some ranks would never have an image of a batch. */
export function requireEnoughImages(batchSize: number, ranks: Ranks | undefined): void {
  if (ranks === undefined || batchSize >= ranks.size) return;
  throw new ConfigError({
    code: 'E_CONFIG_CONFLICT',
    where: 'train.batchSize',
    what: `a batch of ${batchSize} cannot be shared by ${ranks.size} ranks`,
    fix: `Start at most ${batchSize} ranks, or set it to at least ${ranks.size}; all ranks together take one batch`,
  });
}
