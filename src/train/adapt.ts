import { applyLora, type LoraSpec, loraPresets, reportTable } from '../lora/index.js';
import type { Module } from '../nn/index.js';
import { saveAdapter } from '../pretrained/index.js';
import { ConfigError, type Logger, Rng } from '../util/index.js';
import type { RunConfig } from './config.js';

/**
 * Adds adapters to a model if the configuration has any, and returns a function that saves them.
 *
 * @param base - name or folder of the model, recorded for loading the adapter.
 */
export function adapt(
  model: Module,
  { lora, run }: RunConfig,
  base: string,
  logger: Logger,
): ((dir: string) => Promise<void>) | undefined {
  if (lora === undefined) return undefined;
  const spec = specOf(lora);
  const report = applyLora(model, spec, Rng.seeded(run.seed, 7));
  for (const line of reportTable(report)) logger.info(line);
  return (dir) => saveAdapter(model, dir, spec, base);
}

/** Merges the named preset's settings with the file's own; the file's take precedence. */
export function specOf({ preset, ...own }: NonNullable<RunConfig['lora']>): LoraSpec {
  const named: LoraSpec | undefined = preset === undefined ? { rank: 8, alpha: 8, targetModules: [] } : loraPresets[preset];
  if (named === undefined) {
    throw new ConfigError({
      code: 'E_CONFIG_VALUE',
      where: 'lora.preset',
      what: `there is no preset ${preset}`,
      fix: `Choose one of ${Object.keys(loraPresets).join(', ')}`,
    });
  }
  return {
    rank: own.rank ?? named.rank,
    alpha: own.alpha ?? named.alpha,
    dropout: own.dropout ?? named.dropout ?? 0,
    targetModules: [...named.targetModules, ...own.targetModules],
    // The first matching pattern applies, so the file's come first.
    rankPattern: { ...own.rankPattern, ...named.rankPattern, ...own.rankPattern },
    alphaPattern: { ...own.alphaPattern, ...named.alphaPattern, ...own.alphaPattern },
    dropoutPattern: { ...own.dropoutPattern, ...named.dropoutPattern, ...own.dropoutPattern },
    modulesToSave: [...(named.modulesToSave ?? []), ...own.modulesToSave],
  };
}
