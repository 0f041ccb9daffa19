import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../util/index.js';
import { findCachedFile } from './download-file.js';
import { HubError } from './hub-error.js';
import { parseFileName } from './known-files.js';
import { isCommit, type ModelName, parseModelName } from './model-name.js';
import { indexFiles, weightFiles } from './select-files.js';
import { type HubSettings, hubSettings } from './settings.js';

/**
 * The folder of a repository in the cache, containing `blobs/`, `refs/` and `snapshots/`.
 *
 * @see https://huggingface.co/docs/hub/local-cache
 */
export function repoFolder({ cacheDir }: HubSettings, repo: string): string {
  return join(cacheDir, `models--${repo.replace('/', '--')}`);
}

/** The folder of one commit, from which a model is loaded. */
export function snapshotFolder(settings: HubSettings, repo: string, commit: string): string {
  return join(repoFolder(settings, repo), 'snapshots', commit);
}

/** The file that records the commit of a branch or tag. */
export function refFile(settings: HubSettings, repo: string, revision: string): string {
  return join(repoFolder(settings, repo), 'refs', ...revision.split('/'));
}

/** The commit recorded in the cache for a revision. */
async function cachedCommit(settings: HubSettings, { repo, revision }: ModelName): Promise<string | undefined> {
  if (isCommit(revision)) return revision;
  const text = await readFile(refFile(settings, repo, revision), 'utf8').catch(() => '');
  return isCommit(text.trim()) ? text.trim() : undefined;
}

/**
 * Finds a model whose weights are complete in the cache, whichever program downloaded it.
 *
 * @returns its snapshot folder, or undefined.
 */
export async function findCached(settings: HubSettings, name: ModelName): Promise<string | undefined> {
  const commit = await cachedCommit(settings, name);
  if (commit === undefined) return undefined;
  const folder = snapshotFolder(settings, name.repo, commit);
  const complete = name.file === undefined ? await hasWeights(folder) : await isFile(join(folder, name.file));
  return complete ? folder : undefined;
}

/**
 * Like {@link findCached}; for a short name, falls back to the cache's `main` if the pinned commit is missing, as that is what
 * Python downloads.
 */
export async function findCachedOrMain(settings: HubSettings, name: ModelName): Promise<string | undefined> {
  const exact = await findCached(settings, name);
  if (exact !== undefined || name.label.includes('@') || name.label.includes('/')) return exact;
  return findCached(settings, { ...name, revision: 'main' });
}

/** The folder of a model in the cache, whichever of its files it has; of a short name, that of `main` if the pinned commit is missing. */
export async function findSnapshot(settings: HubSettings, name: ModelName): Promise<string | undefined> {
  for (const one of [name, { ...name, revision: 'main' }]) {
    const commit = await cachedCommit(settings, one);
    const folder = commit === undefined ? undefined : snapshotFolder(settings, one.repo, commit);
    if (folder !== undefined && (await filesIn(folder)).length > 0) return folder;
  }
  return undefined;
}

/** Whether all weight files exist. A broken link does not count. */
async function hasWeights(folder: string): Promise<boolean> {
  const files = new Set(weightFiles(await filesIn(folder)));
  const index = indexFiles.find((name) => files.has(name));
  if (index === undefined) return files.size > 0;
  const shards = await shardsOf(join(folder, index));
  return shards?.every((name) => files.has(name)) ?? false;
}

/** The names of the files in a folder, following links. */
export async function filesIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  const files: string[] = [];
  for (const name of names) if (await isFile(join(folder, name))) files.push(name);
  return files;
}

/** The files listed in an index of shards; undefined when it cannot be read. */
export async function shardsOf(index: string): Promise<readonly string[] | undefined> {
  try {
    const { weight_map } = JSON.parse(await readFile(index, 'utf8')) as { weight_map?: Record<string, unknown> };
    const names = [...new Set(Object.values(weight_map ?? {}))];
    return names.length > 0 && names.every((name) => typeof name === 'string') ? names : undefined;
  } catch {
    return undefined;
  }
}

function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

/**
 * Resolves a model to its folder: a folder stays itself; a short name, or `owner/repo`, resolves to its folder in the Hugging
 * Face cache, or to its file there if it shares its repository with other models or comes from another host. Uses no network.
 *
 * @param settings - Default: from the environment.
 * @throws UsageError when it is neither a folder nor a name; HubError with the command that downloads it when it is not in the
 * cache.
 */
export async function resolveModelDirectory(nameOrDir: string, settings?: HubSettings): Promise<string> {
  const found = await stat(nameOrDir).catch(() => undefined);
  if (found?.isDirectory() === true) return nameOrDir;
  const file = parseFileName(nameOrDir);
  const model = file ?? nameOf(nameOrDir);
  const { cacheDir, ...rest } = settings ?? (await hubSettings());
  const known = { cacheDir, ...rest };
  const place = 'source' in model ? await findCachedFile(known, model.source) : await findCachedOrMain(known, model);
  if (place !== undefined) return 'file' in model && model.file !== undefined ? join(place, model.file) : place;
  throw new HubError({
    code: 'E_MODEL_NOT_DOWNLOADED',
    where: nameOrDir,
    what: `there is no such folder, and no such model in the cache ${cacheDir}`,
    fix: 'Download it, or name the folder of a model',
  });
}

function nameOf(nameOrDir: string) {
  try {
    return parseModelName(nameOrDir);
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause;
    throw new UsageError({
      code: 'E_MODEL_NOT_FOUND',
      where: nameOrDir,
      what: `there is no such folder, and ${cause.what}`,
      ...(cause.fix ? { fix: cause.fix } : {}),
      cause,
    });
  }
}
