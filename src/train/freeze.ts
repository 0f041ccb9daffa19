import type { Module } from '../nn/index.js';
import { ConfigError, matchesPattern } from '../util/index.js';
import type { RunConfig } from './config.js';

/**
 * Freezes the parameters that match `train.freeze`.
 *
 * @throws ConfigError if a pattern matches no parameter, nothing is left to train, or `lora` is set as well.
 */
export function freeze(model: Module, { lora, train: { freeze: patterns = [] } }: RunConfig): void {
  if (patterns.length === 0) return;
  const where = 'train.freeze';
  if (lora !== undefined)
    throw new ConfigError({
      code: 'E_CONFIG_CONFLICT',
      where,
      what: 'with lora only the adapters and lora.modulesToSave are trained',
      fix: 'Remove train.freeze, or lora',
    });
  const parameters = [...model.namedParameters()];
  const idle = patterns.filter((pattern) => !parameters.some(([path]) => matchesPattern(path, pattern)));
  if (idle.length > 0) {
    const fix = 'Patterns are written over parameter paths: `*` for one step, `**` for any number';
    throw new ConfigError({ code: 'E_CONFIG_PATTERN', where, what: `${idle.join(', ')} fits no parameter`, fix });
  }
  for (const [path, parameter] of parameters)
    if (patterns.some((pattern) => matchesPattern(path, pattern))) parameter.trainable = false;
  if (parameters.every(([, { trainable }]) => !trainable))
    throw new ConfigError({
      code: 'E_CONFIG_PATTERN',
      where,
      what: 'it leaves nothing to train',
      fix: 'Remove some of its patterns',
    });
}
