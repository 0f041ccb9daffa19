import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { LocalServers } from './local-servers.js';

/** Answers a request for an object in its own way. */
export type StoreFault = (response: ServerResponse, content: Buffer) => void;

/** An S3-compatible store with one bucket, on a port of this machine. */
export class FakeStore {
  readonly bucket = 'archive';
  readonly objects = new Map<string, Buffer>();
  /** Keys in a page of a listing. */
  page = 1000;
  /** By key, for its next answers; of a listing under the empty key. */
  readonly faults = new Map<string, StoreFault[]>();
  /** Keys that were requested, as they were written. */
  readonly read: string[] = [];
  listings = 0;
  private readonly servers = new LocalServers();

  async start(): Promise<this> {
    await this.servers.start([(request, response) => this.answer(request, response)]);
    return this;
  }

  stop(): void {
    this.servers.stop();
  }

  get endpoint(): string {
    return this.servers.originOf(0);
  }

  /** The environment of a command that reads this store. */
  get env(): Record<string, string> {
    return {
      AWS_ENDPOINT_URL_S3: this.endpoint,
      AWS_ACCESS_KEY_ID: 'a-key',
      AWS_SECRET_ACCESS_KEY: 'a-secret',
      AWS_MAX_ATTEMPTS: '2',
      AWS_CONFIG_FILE: '/nowhere',
      AWS_SHARED_CREDENTIALS_FILE: '/nowhere',
    };
  }

  private answer({ url = '', headers }: IncomingMessage, response: ServerResponse): void {
    const [path = '', query = ''] = url.split('?');
    const [, bucket, ...steps] = path.split('/');
    const key = decodeURIComponent(steps.join('/'));
    const content = this.objects.get(key);
    if (key === '') this.listings += 1;
    else this.read.push(key);
    const fault = this.faults.get(key)?.shift() ?? (bucket === this.bucket ? undefined : refuse('NoSuchBucket', 404));
    if (fault !== undefined) fault(response, content ?? Buffer.alloc(0));
    else if (key === '') this.list(new URLSearchParams(query), response);
    else if (content === undefined) refuse('NoSuchKey', 404)(response, Buffer.alloc(0));
    else sendObject(response, content, headers.range);
  }

  private list(query: URLSearchParams, response: ServerResponse): void {
    const from = Number(query.get('continuation-token') ?? 0);
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(query.get('prefix') ?? '')).sort();
    const encoded = (key: string) => encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%20', '+');
    const contents = keys.slice(from, from + this.page).map((key) => {
      const content = this.objects.get(key) as Buffer;
      return `<Contents><Key>${encoded(key)}</Key><ETag>${etagOf(content)}</ETag><Size>${content.length}</Size></Contents>`;
    });
    const next = from + this.page;
    const more =
      next < keys.length
        ? `<IsTruncated>true</IsTruncated><NextContinuationToken>${next}</NextContinuationToken>`
        : '<IsTruncated>false</IsTruncated>';
    response
      .writeHead(200, { 'content-type': 'application/xml' })
      .end(`<ListBucketResult><EncodingType>url</EncodingType>${more}${contents.join('')}</ListBucketResult>`);
  }
}

function sendObject(response: ServerResponse, content: Buffer, range: string | undefined): void {
  const [, last] = /^bytes=0-(\d+)$/.exec(range ?? '') ?? [];
  const body = last === undefined ? content : content.subarray(0, Number(last) + 1);
  response.writeHead(last === undefined ? 200 : 206, { 'content-length': body.length, etag: etagOf(content) }).end(body);
}

function etagOf(content: Buffer): string {
  return `"${createHash('md5').update(content).digest('hex')}"`;
}

/** Refuses as S3 does. */
export function refuse(code: string, status: number): StoreFault {
  return (response) => {
    response
      .writeHead(status, { 'content-type': 'application/xml' })
      .end(`<Error><Code>${code}</Code><Message>as the test wants it</Message></Error>`);
  };
}

/** Breaks off after so many bytes. */
export function breakOff(after: number): StoreFault {
  return (response, content) => {
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, after), () => setTimeout(() => response.destroy(), 20));
  };
}

/** Sends so many bytes and then nothing. */
export function stall(after: number): StoreFault {
  return (response, content) => {
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, after));
  };
}

/** Sends the content under the checksum of another. */
export const wrongChecksum: StoreFault = (response, content) => {
  response.writeHead(200, { 'content-length': content.length, 'x-amz-checksum-crc32': 'AAAAAA==' }).end(content);
};
