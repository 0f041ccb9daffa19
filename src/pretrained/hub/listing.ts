import { z } from 'zod';
import { ConnectionLost } from '../../util/index.js';
import { type HubFile, isEtag } from './digest.js';
import type { HubReport } from './events.js';
import { request } from './http.js';
import { HubError } from './hub-error.js';
import { isCommit, type ModelName, requireSafeNames } from './model-name.js';
import { mayPass, requireSuccess, unreachable } from './refusals.js';
import type { Pace } from './retry.js';
import { retried } from './retry.js';
import type { HubSettings } from './settings.js';

/** Settings and callbacks for requests to the hub. */
export interface HubContext {
  readonly settings: HubSettings;
  readonly pace: Pace;
  readonly report: HubReport;
}

/** The files of a repository at a commit. */
export interface Listing {
  readonly commit: string;
  readonly names: readonly string[];
  /** A file's expected size and hash: from the listing or, if it lacks them, from the file's own headers. */
  describe(name: string): Promise<HubFile>;
}

/** A listing of ten thousand files takes two megabytes. */
const MOST_BYTES = 32 * 2 ** 20;
const MOST_FILES = 100_000;

const schema = z.object({
  sha: z.string().refine(isCommit, 'expected a commit'),
  siblings: z.array(
    z.object({
      rfilename: z.string(),
      size: z.number().int().nonnegative().nullish(),
      blobId: z.string().nullish(),
      lfs: z.object({ sha256: z.string(), size: z.number().int().nonnegative() }).nullish(),
    }),
  ),
});

/**
 * Fetches the list of files of a revision.
 *
 * @throws UnreachableError immediately if the hub is unreachable; HubError if it refuses or its listing is invalid.
 */
export async function fetchListing({ repo, revision, label }: ModelName, context: HubContext): Promise<Listing> {
  const { settings, pace, report } = context;
  const address = `${settings.endpoint}/api/models/${repo}/revision/${encodeURIComponent(revision)}?blobs=true`;
  const text = await retried(() => readText(label, repo, address, context), pace, report);
  const { sha: commit, siblings } = parse(label, address, text);
  if (siblings.length > MOST_FILES) throw tooLong(label, `${siblings.length} entries`);
  if (isCommit(revision) && commit !== revision)
    throw new HubError({
      code: 'E_HUB_ANSWER',
      where: label,
      what: `expected the listing of commit ${revision}, got ${commit}`,
      fix: 'Check HF_ENDPOINT',
    });
  requireSafeNames(
    repo,
    siblings.map(({ rfilename }) => rfilename),
  );
  const files = new Map(siblings.map((file) => [file.rfilename, file]));
  return {
    commit,
    names: [...files.keys()],
    async describe(name) {
      const found = files.get(name);
      const [etag, size] = [found?.lfs?.sha256 ?? found?.blobId, found?.lfs?.size ?? found?.size];
      if (etag != null && size != null && isEtag(etag)) return { name, size, etag };
      return retried(() => describeByHeaders(name, repo, commit, context), pace, report);
    },
  };
}

/** The URL of a file's content. */
export function fileAddress({ endpoint }: HubSettings, repo: string, commit: string, name: string): string {
  return `${endpoint}/${repo}/resolve/${commit}/${name.split('/').map(encodeURIComponent).join('/')}`;
}

async function readText(label: string, repo: string, address: string, { settings, pace }: HubContext): Promise<string> {
  try {
    const answer = await request(address, settings, pace);
    try {
      requireSuccess(label, repo, answer, settings);
      const pieces: Uint8Array[] = [];
      let bytes = 0;
      for await (const piece of answer.pieces()) {
        bytes += piece.length;
        if (bytes > MOST_BYTES) throw tooLong(label, `more than ${MOST_BYTES / 2 ** 20} MB`);
        pieces.push(piece);
      }
      return Buffer.concat(pieces).toString('utf8');
    } finally {
      answer.close();
    }
  } catch (failure) {
    // A failed name lookup or a refused connection is not retried, as it will not recover within seconds; a broken connection
    // may.
    if (failure instanceof ConnectionLost && !['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(failure.code))
      throw unreachable(label, failure);
    throw mayPass(label, failure);
  }
}

function tooLong(label: string, what: string): HubError {
  return new HubError({
    code: 'E_HUB_ANSWER',
    where: label,
    what: `its listing of files has ${what}, which no model has`,
    fix: 'Check HF_ENDPOINT: something else may answer in its place',
  });
}

function parse(label: string, address: string, text: string): z.infer<typeof schema> {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause).replace(/\s*\n\s*/g, ' ') : 'it is not JSON';
    throw new HubError({
      code: 'E_HUB_ANSWER',
      where: label,
      what: `expected a listing of files from ${address}, but ${reason}`,
      fix: 'Check HF_ENDPOINT, and whether a login page of the network answers in its place',
      cause,
    });
  }
}

async function describeByHeaders(name: string, repo: string, commit: string, { settings, pace }: HubContext): Promise<HubFile> {
  const where = `${repo}/${name}`;
  try {
    const answer = await request(fileAddress(settings, repo, commit, name), settings, pace, { headersOnly: true });
    answer.close();
    const { headers, response } = answer;
    if (response.status < 300 || response.status >= 400) requireSuccess(where, repo, answer, settings);
    const etag = (headers.get('x-linked-etag') ?? headers.get('etag') ?? '').replace(/^W\//, '').replaceAll('"', '');
    const size = Number(headers.get('x-linked-size') ?? headers.get('content-length') ?? Number.NaN);
    if (isEtag(etag) && Number.isSafeInteger(size)) return { name, size, etag };
    throw new HubError({
      code: 'E_HUB_CHECKSUM',
      where,
      what: `expected its size and checksum, the server tells ${JSON.stringify({ size, etag })}`,
      fix: 'It cannot be verified, so it is not fetched. Use another HF_ENDPOINT',
    });
  } catch (failure) {
    throw mayPass(where, failure);
  }
}
