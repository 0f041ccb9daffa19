import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ConfigError, UsageError, writeFileAtomic } from '../../util/index.js';
import { readableDiskError, requireSpace } from './disk.js';
import type { HubReport } from './events.js';
import { fetchAll } from './fetch-blob.js';
import { request } from './http.js';
import { HubError, UnreachableError } from './hub-error.js';
import { type FileSource, folderName, parseFileName } from './known-files.js';
import type { HubContext } from './listing.js';
import { leftovers, PartialFile } from './partial-file.js';
import { forbiddenByOffline, mayPass, requireSuccess } from './refusals.js';
import { defaultPace, type Pace, retried } from './retry.js';
import { type HubSettings, hubSettings } from './settings.js';

export interface FileOptions {
  /** Default: from the environment. */
  readonly settings?: HubSettings;
  /** SHA-256 that the file must have, as 64 hexadecimal digits. Default: the published one, if there is one. */
  readonly sha256?: string | undefined;
  /** Default: no reports. */
  readonly report?: HubReport;
  readonly pace?: Partial<Pace>;
}

export interface DownloadedFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Whether the hash was compared with one known before; otherwise nobody vouches for the content. */
  readonly verified: boolean;
}

/**
 * Downloads a file from a GitHub release or from Google Drive into the cache; resumes. Neither publishes a hash, so that a file is
 * verified only against one that the caller, this package or an earlier download knows. A file with another hash is not kept.
 *
 * @param name - see `parseFileName`.
 * @throws UsageError for an invalid name or hash; HubError for any failure of the download.
 */
export async function downloadFile(name: string, options: FileOptions = {}): Promise<DownloadedFile> {
  const known = parseFileName(name);
  if (known === undefined) throw new RangeError(`downloadFile: ${name} is a model of the hub`);
  const { report = () => {}, pace } = options;
  const home = options.settings ?? (await hubSettings());
  const host = hostOf(known.source);
  // Tokens belong to the hub alone.
  const settings: HubSettings = { ...home, endpoint: host, token: undefined };
  const context: HubContext = { settings, pace: { ...defaultPace, ...pace }, report };
  const { source } = known;
  const dir = join(home.cacheDir, folderName(source));
  const path = join(dir, source.file);
  const expected = checkedHash(options.sha256) ?? known.sha256;
  const before = await present(path);
  if (before !== undefined) return intact(path, before, expected, report);
  if (home.offline) throw forbiddenByOffline(name, settings);
  try {
    await mkdir(dir, { recursive: true });
    return await fetchInto(dir, path, { name, source, expected }, context);
  } catch (error) {
    throw readableDiskError(withMirror(error, source), path);
  }
}

/** An unreachable host is not the hub: another variable names its mirror. */
function withMirror(error: unknown, { kind }: FileSource): unknown {
  if (!(error instanceof UnreachableError) || error.code !== 'E_HUB_UNREACHABLE') return error;
  const { code, where, what } = error;
  const fix = `Connect this machine, let ${HOSTS[kind][0]} name a mirror, or copy the file here by hand and name it`;
  return new UnreachableError({ code, where, what, fix, cause: error });
}

/** The file of a name in the cache, as left by {@link downloadFile}; undefined if it is not there. */
export async function findCachedFile({ cacheDir }: HubSettings, source: FileSource): Promise<string | undefined> {
  const path = join(cacheDir, folderName(source), source.file);
  return (await present(path)) === undefined ? undefined : path;
}

interface Wanted {
  readonly name: string;
  readonly source: FileSource;
  readonly expected: string | undefined;
}

async function fetchInto(
  dir: string,
  path: string,
  { name, source, expected }: Wanted,
  context: HubContext,
): Promise<DownloadedFile> {
  const { report, pace } = context;
  const address = addressOf(source, context.settings.endpoint);
  const size = await retried(() => sizeOf(name, address, context), pace, report);
  // The hash is not known before: partial files are told apart by the source and the size.
  const key = createHash('sha256').update(`${address}\n${size}`).digest('hex');
  const isDone = async () => (await present(path)) !== undefined;
  const partial = await PartialFile.claim(dir, key, pace, isDone, () => report({ kind: 'waiting', file: source.file }));
  if (partial === undefined) return intact(path, (await present(path)) ?? 0, expected, report);
  try {
    const held = (await leftovers(dir, key, pace.staleMs))[0]?.size ?? 0;
    await requireSpace(dir, size - held);
    report({ kind: 'fetching', file: source.file, bytes: size, from: held });
    let done = 0;
    const total = size - held;
    const tally = (came: number) => {
      done += came;
      report({ kind: 'progress', file: source.file, done, total: Math.max(total, done) });
    };
    await fetchAll({ name: source.file, size, etag: key }, { label: name, address: () => address }, partial, context, tally);
    const sha256 = await hashOf(partial.path);
    if (expected !== undefined && sha256 !== expected) {
      await partial.remove();
      throw wrongHash(name, expected, sha256, 'It was thrown away. Check the hash, or where the file comes from');
    }
    await writeFileAtomic(`${path}.sha256`, `${sha256}  ${source.file}\n`);
    await partial.become(path);
    return { path, bytes: size, sha256, verified: expected !== undefined };
  } finally {
    await partial.release();
  }
}

/** A file of the cache, compared with the expected hash, or with the one that it had when it was downloaded. */
async function intact(path: string, bytes: number, expected: string | undefined, report: HubReport): Promise<DownloadedFile> {
  const recorded = /^[0-9a-f]{64}/.exec(await readFile(`${path}.sha256`, 'utf8').catch(() => ''))?.[0];
  const sha256 = await hashOf(path);
  const wanted = expected ?? recorded;
  if (wanted !== undefined && sha256 !== wanted) throw wrongHash(path, wanted, sha256, 'Delete it, and download it again');
  report({ kind: 'cached', file: path, bytes });
  return { path, bytes, sha256, verified: expected !== undefined };
}

/**
 * Compares a downloaded file with a hash that its user has.
 *
 * @throws UsageError for a hash that is none; HubError when the file has another.
 */
export async function requireSha256(path: string, sha256: string): Promise<void> {
  const [expected, got] = [checkedHash(sha256) as string, await hashOf(path)];
  if (got !== expected)
    throw wrongHash(path, expected, got, 'Its host vouches for it by its own hash: check the one given, or do not use it');
}

function wrongHash(where: string, expected: string, got: string, fix: string): HubError {
  return new HubError({ code: 'E_HUB_CHECKSUM', where, what: `expected the SHA-256 ${expected}, got ${got}`, fix });
}

/** The size of a file, from the headers of an answer that is then dropped. */
async function sizeOf(name: string, address: string, { settings, pace }: HubContext): Promise<number> {
  try {
    const answer = await request(address, settings, pace);
    try {
      const { headers, status } = answer.response;
      if ([401, 403, 404].includes(status))
        throw new HubError({
          code: status === 404 ? 'E_HUB_NOT_FOUND' : 'E_HUB_DENIED',
          where: name,
          what: `it is not there, or is not shared with everybody, got ${status} from ${answer.url.origin}`,
          fix: 'Check the parts of its name against its address in a browser',
        });
      requireSuccess(name, '', answer, settings);
      // A page that asks, or that says that too many have downloaded the file, comes with status 200.
      if (/^text\/html\b/.test(headers.get('content-type') ?? ''))
        throw new HubError({
          code: 'E_HUB_ANSWER',
          where: name,
          what: `${answer.url.origin} gives a page in place of the file: it may not be shared, or was downloaded too often today`,
          fix: 'Open its address in a browser, and name the file that you get',
        });
      const size = Number(headers.get('content-length') ?? Number.NaN);
      if (Number.isSafeInteger(size) && size > 0) return size;
      throw new HubError({
        code: 'E_HUB_ANSWER',
        where: name,
        what: `${answer.url.origin} does not state the size of the file`,
        fix: 'Download it in a browser, and name the file',
      });
    } finally {
      answer.close();
    }
  } catch (failure) {
    throw mayPass(name, failure);
  }
}

function addressOf(source: FileSource, host: string): string {
  if (source.kind === 'github') return `${host}/${source.repo}/releases/download/${source.tag}/${source.file}`;
  // `confirm` answers the question that Google asks for files that it cannot scan.
  return `${host}/download?id=${source.id}&export=download&confirm=t`;
}

/** Hosts of files, and the variables that name mirrors of them. */
const HOSTS = {
  github: ['SONOGROUND_GITHUB', 'https://github.com'],
  gdrive: ['SONOGROUND_GDRIVE', 'https://drive.usercontent.google.com'],
} as const;

function hostOf({ kind }: FileSource): string {
  const [variable, usual] = HOSTS[kind];
  const text = process.env[variable] || usual;
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text.replace(/\/+$/, '');
  throw new ConfigError({
    code: 'E_ENVIRONMENT',
    where: variable,
    what: `expected an address, got ${JSON.stringify(text)}`,
    fix: `Write it as ${usual}`,
  });
}

function checkedHash(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const hash = text.trim().toLowerCase();
  if (/^[0-9a-f]{64}$/.test(hash)) return hash;
  throw new UsageError({
    code: 'E_OPTION_VALUE',
    where: 'sha256',
    what: `expected 64 hexadecimal digits, got ${JSON.stringify(text)}`,
    fix: 'Copy it from where the file is published, or leave it out',
  });
}

async function present(path: string): Promise<number | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() === true ? found.size : undefined;
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}
