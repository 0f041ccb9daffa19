import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { glob } from 'tinyglobby';
import { locateShipped } from '../../config/index.js';
import { isInside, type Logger } from '../../util/index.js';
import { walkFolder } from './walk-folder.js';

/** Glob metacharacters. */
const MAGIC = /[*?{}[\]()!]/;

/** What a name on the command line stands for. */
export type ExpandedName =
  /** One file, which may be missing, or a pipe or device. */
  | { readonly kind: 'file'; readonly path: string }
  /** The content of a folder, or the matches of a glob: paths relative to `folder`, the fixed part of a glob. */
  | { readonly kind: 'files'; readonly folder: string; readonly files: readonly string[] };

/**
 * Expands the name of a file, a folder (searched recursively, without hidden files) or a glob. Shipped files are found from any
 * folder.
 */
export async function expandName(asked: string, logger: Logger): Promise<ExpandedName> {
  const name = await locateShipped(asked);
  const info = await stat(name).catch(() => undefined);
  if (info?.isDirectory())
    return { kind: 'files', folder: name, files: await walkFolder(name, (message) => logger.warn(message)) };
  if (info !== undefined || !MAGIC.test(name)) return { kind: 'file', path: name };
  const steps = name.split(/[\\/]/);
  const fixed = steps.findIndex((step) => MAGIC.test(step));
  const folder = fixed === 0 ? '.' : await locateShipped(steps.slice(0, fixed).join('/') || '/');
  const pattern = steps.slice(fixed).join('/');
  const files = await glob(pattern, { cwd: folder, caseSensitiveMatch: false, expandDirectories: false });
  // The shortest path to a folder that links also lead to.
  files.sort((a, b) => a.split('/').length - b.split('/').length || (a < b ? -1 : 1));
  return { kind: 'files', folder, files };
}

/** Whether a path lies in one of the folders, given as real paths, also by a link. */
export async function liesIn(path: string, folders: readonly string[]): Promise<boolean> {
  if (folders.length === 0) return false;
  const real = await realPathOf(path);
  return folders.some((folder) => isInside(real, folder));
}

/** Identifies a file by its name and its real folder: two paths to a folder are one place, two names of a file are two. */
export async function placeOf(path: string): Promise<string> {
  return join(await realPathOf(dirname(path)), basename(path));
}

/** Resolves links as far as the path exists. */
export async function realPathOf(path: string): Promise<string> {
  const whole = resolve(path);
  const real = await realpath(whole).catch(() => undefined);
  if (real !== undefined || dirname(whole) === whole) return real ?? whole;
  return join(await realPathOf(dirname(whole)), basename(whole));
}
