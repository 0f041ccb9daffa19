import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { backendFacts } from '../../backend/index.js';

const require = createRequire(import.meta.url);

/** The software versions of a run. */
export async function versions(): Promise<Record<string, unknown>> {
  const { version } = require('../../../package.json') as { version: string };
  const { kernels: _, ...backend } = backendFacts();
  return {
    sonoground: version,
    commit: await commit(),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cores: availableParallelism(),
    ...backend,
  };
}

/** The commit of the source, with `+` if files were modified; null outside a checkout. */
async function commit(): Promise<string | null> {
  const cwd = fileURLToPath(new URL('../../..', import.meta.url));
  const git = (...args: string[]) => promisify(execFile)('git', args, { cwd }).then(({ stdout }) => stdout.trim());
  try {
    return `${await git('rev-parse', 'HEAD')}${(await git('status', '--porcelain', '--untracked-files=no')) === '' ? '' : '+'}`;
  } catch {
    return null;
  }
}

/** The {@link versions} that affect the last bits of a step. */
export function stepVersions(all: Readonly<Record<string, unknown>>): Record<string, string> {
  const names = ['sonoground', 'commit', 'backend', 'tensorflow', 'tfjs'];
  return Object.fromEntries(names.map((name) => [name, String(all[name] ?? 'none')]));
}

/** Describes the differences between two {@link stepVersions}; undefined if there are none. */
export function otherVersions(
  before: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
): string | undefined {
  const changed = Object.keys(now).filter((name) => before[name] !== now[name]);
  return changed.length === 0
    ? undefined
    : changed.map((name) => `${name} was ${before[name] ?? 'unknown'} and is ${now[name]}`).join(', ');
}
