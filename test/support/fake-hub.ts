import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { LocalServers, sendFile, startOf } from './local-servers.js';

export const REPO = 'owner/some-model';
export const COMMIT = '0123456789abcdef0123456789abcdef01234567';

/** Answers a request in its own way; what it leaves alone is answered rightly. */
export type Fault = (request: IncomingMessage, response: ServerResponse, content: Buffer) => void;

/** A request as the server saw it. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
  /** Bytes of the body that were sent, by a right answer. */
  sent: number;
}

/** Bytes without a pattern that are the same in every run. */
export function noise(length: number, seed = 1): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 64) }, (_, i) => createHash('sha512').update(`${seed}/${i}`).digest());
  return Buffer.concat(blocks).subarray(0, length);
}

export function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

export function gitSha1(content: Buffer): string {
  return createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
}

const WEIGHTS = noise(300_000);
const PICKLE = noise(300_000, 2);

/** The hub on one port and its storage for large files on another, both on this machine. */
export class FakeHub {
  files = new Map<string, Buffer>([
    ['config.json', Buffer.from('{"model_type": "none"}')],
    ['README.md', Buffer.from('# A model')],
    ['model.safetensors', WEIGHTS],
    ['pytorch_model.bin', PICKLE],
  ]);
  readonly hub: Seen[] = [];
  readonly storage: Seen[] = [];
  /** For the next answers of the listing, of the hub's files, and of the storage; right answers when empty. */
  readonly faults = { listing: [] as Fault[], hub: [] as Fault[], storage: [] as Fault[] };
  /** Changes what the listing says. */
  edit: (listing: Listing) => unknown = (listing) => listing;
  private readonly servers = new LocalServers();

  async start(): Promise<this> {
    await this.servers.start([
      (request, response) => this.answerHub(request, response),
      (request, response) => this.answerStorage(request, response),
    ]);
    return this;
  }

  stop(): void {
    this.servers.stop();
  }

  get endpoint(): string {
    return this.servers.originOf(0);
  }

  get storageOrigin(): string {
    return this.servers.originOf(1);
  }

  /** Requests for files, on either port. */
  get fileRequests(): number {
    return this.hub.filter(({ path }) => path.includes('/resolve/')).length + this.storage.length;
  }

  content(name: string): Buffer {
    return this.files.get(name) ?? Buffer.alloc(0);
  }

  private answerHub(request: IncomingMessage, response: ServerResponse): void {
    const seen = see(request, this.hub);
    const [, revision] = /^\/api\/models\/owner\/some-model\/revision\/([^/?]+)(?:\?blobs=true)?$/.exec(seen.path) ?? [];
    if (revision !== undefined) {
      const fault = this.faults.listing.shift();
      const body = Buffer.from(JSON.stringify(this.edit(this.listing())));
      if (fault !== undefined) fault(request, response, body);
      else response.end(body);
      return;
    }
    const name = seen.path.replace(`/${REPO}/resolve/${COMMIT}/`, '');
    const content = this.files.get(name);
    const fault = this.faults.hub.shift();
    if (fault !== undefined) fault(request, response, content ?? Buffer.alloc(0));
    else if (content === undefined) response.writeHead(404, { 'x-error-code': 'EntryNotFound' }).end();
    else if (isLarge(name)) {
      const headers = { 'x-linked-etag': `"${sha256(content)}"`, 'x-linked-size': content.length, 'x-repo-commit': COMMIT };
      response.writeHead(302, { ...headers, location: `${this.storageOrigin}/${name}` }).end();
    } else sendRight(request, response, content, seen, { etag: `"${gitSha1(content)}"`, 'x-repo-commit': COMMIT });
  }

  private answerStorage(request: IncomingMessage, response: ServerResponse): void {
    const seen = see(request, this.storage);
    const content = this.content(seen.path.slice(1));
    const fault = this.faults.storage.shift();
    if (fault !== undefined) fault(request, response, content);
    else sendRight(request, response, content, seen);
  }

  private listing(): Listing {
    const siblings = [...this.files].map(([rfilename, content]) => {
      const lfs = { sha256: sha256(content), size: content.length, pointerSize: 134 };
      const common = { rfilename, size: content.length, blobId: gitSha1(content) };
      return isLarge(rfilename) ? { ...common, lfs } : common;
    });
    return { id: REPO, sha: COMMIT, siblings };
  }
}

export interface Listing {
  id: string;
  sha: string;
  siblings: { rfilename: string; size?: number; blobId?: string; lfs?: { sha256: string; size: number; pointerSize: number } }[];
}

function isLarge(name: string): boolean {
  return /\.(?:safetensors|bin|pth)$/.test(name);
}

function see(request: IncomingMessage, into: Seen[]): Seen {
  const { range, authorization } = request.headers;
  const seen = { method: request.method ?? '', path: request.url ?? '', range, authorization, sent: 0 };
  into.push(seen);
  return seen;
}

function sendRight(
  request: IncomingMessage,
  response: ServerResponse,
  content: Buffer,
  seen: Seen,
  headers: Record<string, string> = {},
): void {
  seen.sent = sendFile(request, response, content, headers);
}

/** Ways to answer wrongly. */
export const faults = {
  /** Breaks off after so many bytes. */
  drop:
    (after: number): Fault =>
    (request, response, content) => {
      const from = startOf(request);
      const total = content.length;
      response.writeHead(from > 0 ? 206 : 200, {
        'content-length': total - from,
        'content-range': `bytes ${from}-${total - 1}/${total}`,
      });
      response.write(content.subarray(from, from + after), () => setTimeout(() => response.destroy(), 20));
    },
  /** Sends so many bytes and then nothing. */
  stall:
    (after: number): Fault =>
    (_request, response, content) => {
      response.writeHead(200, { 'content-length': content.length });
      response.write(content.subarray(0, after));
    },
  ignoreRange: ((_request, response, content) => {
    response.writeHead(200, { 'content-length': content.length }).end(content);
  }) as Fault,
  /** Sends this instead, with a length that fits it. */
  body:
    (other: Buffer): Fault =>
    (_request, response) => {
      response.writeHead(200, { 'content-length': other.length }).end(other);
    },
  /** Sends this instead, without a length. */
  chunked:
    (other: Buffer): Fault =>
    (_request, response) => {
      response.writeHead(200);
      response.write(other);
      response.end();
    },
  /** A part with a range of its own making. */
  range:
    (contentRange: string): Fault =>
    (request, response, content) => {
      const rest = content.subarray(startOf(request));
      response.writeHead(206, { 'content-range': contentRange, 'content-length': rest.length }).end(rest);
    },
  status:
    (status: number, headers: Record<string, string> = {}): Fault =>
    (_request, response) => {
      response.writeHead(status, headers).end();
    },
};
