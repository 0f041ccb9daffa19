import { stat } from 'node:fs/promises';
import { UsageError } from '../../util/index.js';
import { findCachedOrMain } from './cache.js';
import { HubError } from './hub-error.js';
import { parseModelName } from './model-name.js';
import { type HubSettings, hubSettings } from './settings.js';

/**
 * Resolves a model to its folder: a folder stays itself; a short name, or `owner/repo`, resolves to its folder in the Hugging
 * Face cache. Uses no network.
 *
 * @param settings - Default: from the environment.
 * @throws UsageError when it is neither a folder nor a name; HubError with the command that downloads it when it is not in the
 * cache.
 */
export async function resolveModelDirectory(nameOrDir: string, settings?: HubSettings): Promise<string> {
  const found = await stat(nameOrDir).catch(() => undefined);
  if (found?.isDirectory() === true) return nameOrDir;
  const model = nameOf(nameOrDir);
  const { cacheDir, ...rest } = settings ?? (await hubSettings());
  const folder = await findCachedOrMain({ cacheDir, ...rest }, model);
  if (folder !== undefined) return folder;
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
