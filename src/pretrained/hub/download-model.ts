import { mkdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { writeFileAtomic } from '../../util/index.js';
import { filesIn, findCached, refFile, repoFolder, shardsOf, snapshotFolder } from './cache.js';
import { type HubFile, isIntact } from './digest.js';
import { place, readableDiskError, requireSpace, snapshotWays } from './disk.js';
import type { HubReport } from './events.js';
import { fetchBlob } from './fetch-blob.js';
import { HubError, UnreachableError } from './hub-error.js';
import { fetchListing, fileAddress, type HubContext, type Listing } from './listing.js';
import { isCommit, type ModelName, parseModelName } from './model-name.js';
import { leftovers } from './partial-file.js';
import { forbiddenByOffline } from './refusals.js';
import { defaultPace, type Pace } from './retry.js';
import { indexFiles, selectFiles } from './select-files.js';
import { type HubSettings, hubSettings } from './settings.js';

export interface DownloadOptions {
  /** Default: from the environment. */
  readonly settings?: HubSettings;
  /** Download exactly these files. Default: configuration, tokenizer and weights. */
  readonly files?: readonly string[];
  /** Default: no reports. */
  readonly report?: HubReport;
  readonly pace?: Partial<Pace>;
}

export interface DownloadedModel {
  /** The snapshot folder in the cache, from which the model is loaded. */
  readonly folder: string;
  readonly repo: string;
  readonly commit: string;
  /** Names of the downloaded files; the folder may contain others. */
  readonly files: readonly string[];
}

/**
 * Downloads a model into the Hugging Face cache, where Python finds it too. Every file is verified, existing files are not
 * fetched again, and interrupted downloads are resumed.
 *
 * @param name - a short name, or `owner/repo`, each with an optional `@revision`.
 * @throws UsageError for an invalid name; HubError for any failure of the download.
 */
export async function downloadModel(name: string, options: DownloadOptions = {}): Promise<DownloadedModel> {
  const model = parseModelName(name);
  const { files: named = [], report = () => {}, pace } = options;
  const settings = options.settings ?? (await hubSettings());
  const wanted = named.length > 0 ? named : onlyFile(model);
  const context: HubContext = { settings, pace: { ...defaultPace, ...pace }, report };
  const listing = await listingOrCache(model, context, named);
  if ('folder' in listing) return listing;
  const { commit } = listing;
  report({ kind: 'resolved', repo: model.repo, revision: model.revision, commit });
  const names = selectFiles(model.repo, listing.names, wanted);
  const files: HubFile[] = [];
  for (const file of names) files.push(await listing.describe(file));
  const folder = snapshotFolder(settings, model.repo, commit);
  try {
    await bring(files, model, commit, folder, context);
    await requireAllShards(model.repo, folder, names);
    await remember(model, commit, settings);
  } catch (error) {
    throw readableDiskError(error, folder);
  }
  return { folder, repo: model.repo, commit, files: names };
}

/** The hub's listing of files. Falls back to a complete copy in the cache if the hub is unreachable or offline mode is on. */
async function listingOrCache(
  model: ModelName,
  context: HubContext,
  wanted: readonly string[],
): Promise<Listing | DownloadedModel> {
  const { settings, report } = context;
  try {
    if (settings.offline) throw forbiddenByOffline(model.label, settings);
    return await fetchListing(model, context);
  } catch (error) {
    const folder = wanted.length > 0 ? undefined : await findCached(settings, model);
    if (folder === undefined || !(error instanceof UnreachableError)) throw error;
    report({ kind: 'cache-only', reason: error.what });
    return {
      folder,
      repo: model.repo,
      commit: basename(folder),
      files: selectFiles(model.repo, await filesIn(folder), onlyFile(model)),
    };
  }
}

/** The file of a model that shares its repository with others, and those that belong to it. */
function onlyFile({ file, beside = [] }: ModelName): readonly string[] {
  return file === undefined ? [] : [file, ...beside];
}

async function bring(
  files: readonly HubFile[],
  { repo }: ModelName,
  commit: string,
  folder: string,
  context: HubContext,
): Promise<void> {
  const { settings, report } = context;
  const blobs = join(repoFolder(settings, repo), 'blobs');
  await mkdir(blobs, { recursive: true });
  const missing: HubFile[] = [];
  for (const file of files) {
    if (await isThere(file, blobs, folder)) report({ kind: 'cached', file: file.name, bytes: file.size });
    else missing.push(file);
  }
  let [done, total] = [0, missing.reduce((sum, { size }) => sum + size, 0)];
  let held = 0;
  for (const { etag } of missing) held += (await leftovers(blobs, etag, context.pace.staleMs))[0]?.size ?? 0;
  await requireSpace(blobs, total - held);
  for (const file of missing) {
    const tally = (came: number, lost: number) => {
      done += came;
      total += lost;
      report({ kind: 'progress', file: file.name, done, total });
    };
    await fetchBlob(file, { label: repo, address: (name) => fileAddress(settings, repo, commit, name) }, blobs, context, tally);
    await place(join(blobs, file.etag), join(folder, file.name), snapshotWays);
  }
}

/** Whether a file is in the snapshot; a blob downloaded for another snapshot is linked into this one. */
async function isThere(file: HubFile, blobs: string, folder: string): Promise<boolean> {
  const path = join(folder, file.name);
  if (await isIntact(path, file)) return true;
  if (!(await isIntact(join(blobs, file.etag), file))) return false;
  await place(join(blobs, file.etag), path, snapshotWays);
  return true;
}

async function requireAllShards(repo: string, folder: string, names: readonly string[]): Promise<void> {
  const index = indexFiles.find((name) => names.includes(name));
  if (index === undefined) return;
  const shards = await shardsOf(join(folder, index));
  const lacking = shards?.filter((name) => !names.includes(name)) ?? [index];
  if (lacking.length > 0)
    throw new HubError({
      code: 'E_HUB_NOT_FOUND',
      where: `${repo}/${index}`,
      what: `expected all shards in the repository, got none named ${lacking.join(', ')}`,
      fix: 'Use another revision: OWNER/REPO@REVISION',
    });
}

/** Records the commit of a branch. A commit is also recorded as `main` if the cache has none, so that Python finds it. */
async function remember({ repo, revision }: ModelName, commit: string, settings: HubSettings): Promise<void> {
  const file = refFile(settings, repo, isCommit(revision) ? 'main' : revision);
  const before = await readFile(file, 'utf8').catch(() => undefined);
  if (before === commit || (before !== undefined && isCommit(revision))) return;
  await writeFileAtomic(file, commit);
}
