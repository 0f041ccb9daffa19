import { presentPath } from '../../config/index.js';
import { ConfigError } from '../../util/index.js';
import { runConfigSchema } from '../config.js';

/** Settings, in the form of a configuration file. */
export type Settings = Readonly<Record<string, unknown>>;

/** Keys that may change on resume: they affect when a run ends and what it writes, not its steps. */
const HARMLESS = [/^run\.dir$/, /^eval(\.|$)/, /^train\.(epochs|workers|patience|keepLast|checkpointEvery)$/];

/** The settings that affect a step, by dotted path, as JSON, for storage in a checkpoint. Lists are leaves. */
export function stepSettings(settings: Settings): Record<string, string> {
  return Object.fromEntries([...flatSettings(settings)].filter(([key]) => !HARMLESS.some((pattern) => pattern.test(key))).sort());
}

/**
 * Refuses to continue a run with different settings.
 *
 * @param written - the {@link stepSettings} in the checkpoint.
 * @throws ConfigError naming every key that differs, with both values.
 */
export function assertSameRun(file: string, written: Readonly<Record<string, string>>, settings: Settings): void {
  const saved = Object.fromEntries(
    Object.entries(written).map(([key, value]) => [presentPath(runConfigSchema, key.split('.')).join('.'), value]),
  );
  const current = stepSettings(settings);
  const keys = [...new Set([...Object.keys(saved), ...Object.keys(current)])].sort();
  const changed = keys.filter((key) => saved[key] !== current[key]);
  if (changed.length === 0) return;
  const differences = changed.map((key) => `${key} was ${saved[key] ?? 'absent'} and is ${current[key] ?? 'absent'}`);
  throw new ConfigError({
    code: 'E_CONFIG_CHANGED',
    where: file,
    what: `it was made under other settings: ${differences.join('; ')}`,
    fix: 'Resume with the settings of config.yaml beside it, or start a new run in another run.dir',
  });
}

/** All settings, by dotted path, as JSON. Lists are leaves. */
export function flatSettings(settings: Settings, prefix = ''): [string, string][] {
  return Object.entries(settings).flatMap(([key, value]) => {
    const path = `${prefix}${key}`;
    if (value === undefined) return [];
    const nested = typeof value === 'object' && value !== null && !Array.isArray(value);
    return nested ? flatSettings(value as Settings, `${path}.`) : [[path, JSON.stringify(value)] as [string, string]];
  });
}
