import type { Precision } from '../backend/index.js';
import type { LoadOptionsOrBoxes } from '../infer/index.js';
import { shippedModels } from '../pretrained/index.js';
import { UsageError } from '../util/index.js';
import { modelsFor } from '../workflows/index.js';
import { precisionOf } from './options.js';

/** Value of `--masker` for no masker. */
const NONE = 'none';

/** The options of a command that name models. */
export interface ModelOptions {
  readonly detector: string;
  readonly masker: string | undefined;
  readonly adapter: string | undefined;
  readonly maskerAdapter: string | undefined;
  readonly adapterScale: number;
  readonly precision?: Precision | undefined;
}

/** Models with a detector, for a command. */
export type NamedModels = LoadOptionsOrBoxes & { readonly detector: string; readonly adapter: string | undefined };

/**
 * The models for `--detector`, which may also be a run, an adapter, an export or a short name. Other options replace what belongs
 * to it.
 *
 * @throws UsageError for an `--adapter-scale` that is not a number; as {@link modelsFor} does.
 */
export async function namedModels({
  detector,
  masker,
  adapter,
  maskerAdapter,
  adapterScale,
  precision,
}: ModelOptions): Promise<NamedModels> {
  if (!Number.isFinite(adapterScale))
    throw new UsageError({
      code: 'E_OPTION_VALUE',
      where: '--adapter-scale',
      what: 'it is not a number',
      fix: 'Give a number such as 0.5',
    });
  const others = {
    masker: masker === NONE ? null : masker,
    adapter,
    maskerAdapter,
    adapterScale,
    precision: precisionOf(precision),
  };
  const models = await modelsFor(detector, others);
  return { ...models, detector: models.detector ?? shippedModels.detector, adapter: models.adapter };
}
