import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { LocalServers } from './local-servers.js';

/** An object in an archive. */
export interface Archived {
  readonly study: string;
  readonly series: string;
  readonly uid: string;
  readonly sopClass: string;
  readonly modality: string;
  readonly frames?: number;
  readonly bytes: Buffer;
}

/** Answers a request in its own way; returns whether it did. */
export type ArchiveFault = (request: IncomingMessage, response: ServerResponse) => void;

/** An archive that speaks DICOMweb, as far as we ask for it, on a port of this machine. */
export class FakeArchive {
  readonly objects: Archived[] = [];
  /** For the next requests whose method and path begin so: `GET /studies`. */
  readonly faults: { readonly when: string; readonly fault: ArchiveFault }[] = [];
  /** Method and path of each request. */
  readonly asked: string[] = [];
  readonly authorizations: (string | undefined)[] = [];
  /** Files of each STOW request. */
  readonly sent: Buffer[][] = [];
  /** Instances in a page of a listing at most. */
  page = 1000;
  ignoresOffset = false;
  /** Objects that it refuses, with the failure reason. */
  refuses: (uid: string) => number | undefined = () => undefined;
  boundary = 'the-edge';
  private readonly servers = new LocalServers();

  /** @param wrap - sees each request before the archive does. */
  async start(wrap: (own: RequestListener) => RequestListener = (own) => own): Promise<this> {
    await this.servers.start([wrap((request, response) => void this.answer(request, response))]);
    return this;
  }

  stop(): void {
    this.servers.stop();
  }

  get address(): string {
    return `${this.servers.originOf(0)}/dicom-web`;
  }

  /** Makes the next matching request fail. */
  fail(when: string, ...faults: readonly ArchiveFault[]): void {
    for (const fault of faults) this.faults.push({ when, fault });
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = (request.url ?? '').replace(/^\/dicom-web/, '');
    const [path = '', query = ''] = target.split('?');
    this.asked.push(`${request.method} ${path}`);
    this.authorizations.push(request.headers.authorization);
    const at = this.faults.findIndex(({ when }) => `${request.method} ${path}`.startsWith(when));
    if (at >= 0) return this.faults.splice(at, 1)[0]?.fault(request, response);
    if (request.method === 'POST') return this.store(path.split('/')[2] ?? '', await bodyOf(request), request, response);
    const [, kind, study, , series, , uid] = path.split('/');
    if (path.endsWith('/instances')) return this.list(kind === 'studies' ? study : undefined, query, response);
    const object = this.objects.find((one) => one.study === study && one.series === series && one.uid === uid);
    if (object === undefined) return void response.writeHead(404).end();
    multipart(response, this.boundary, object.bytes);
  }

  private list(study: string | undefined, query: string, response: ServerResponse): void {
    const params = new URLSearchParams(query);
    const wanted = params.get('SOPInstanceUID');
    const series = params.get('SeriesInstanceUID');
    const all = this.objects.filter(
      (one) =>
        (study === undefined || one.study === study) &&
        (series === null || one.series === series) &&
        (wanted === null || one.uid === wanted),
    );
    const from = this.ignoresOffset ? 0 : Number(params.get('offset') ?? 0);
    const shown = all.slice(from, from + Math.min(this.page, Number(params.get('limit'))));
    const sets = shown.map(({ uid, series: own, sopClass, modality, frames, study: of }) => ({
      '00080016': { vr: 'UI', Value: [sopClass] },
      '00080018': { vr: 'UI', Value: [uid] },
      '00080060': { vr: 'CS', Value: [modality] },
      '0020000D': { vr: 'UI', Value: [of] },
      '0020000E': { vr: 'UI', Value: [own] },
      ...(frames !== undefined && { '00280008': { vr: 'IS', Value: [frames] } }),
    }));
    response.writeHead(200, { 'content-type': 'application/dicom+json' }).end(JSON.stringify(sets));
  }

  private store(study: string, body: Buffer, request: IncomingMessage, response: ServerResponse): void {
    const files = filesIn(body, request.headers['content-type'] ?? '');
    this.sent.push(files);
    const ok: string[] = [];
    const failed: [uid: string, reason: number][] = [];
    for (const bytes of files) {
      const uid = nameIn(bytes);
      const reason = this.refuses(uid);
      if (reason !== undefined) failed.push([uid, reason]);
      else ok.push(uid);
      if (reason === undefined && !this.objects.some((one) => one.uid === uid))
        this.objects.push({ study, series: '1.9', uid, sopClass: '1.2.840.10008.5.1.4.1.1.66.4', modality: 'SEG', bytes });
    }
    const item = (uid: string) => ({ '00081155': { vr: 'UI', Value: [uid] } });
    const report = {
      ...(ok.length > 0 && { '00081199': { vr: 'SQ', Value: ok.map(item) } }),
      ...(failed.length > 0 && {
        '00081198': {
          vr: 'SQ',
          Value: failed.map(([uid, reason]) => ({ ...item(uid), '00081197': { vr: 'US', Value: [reason] } })),
        },
      }),
    };
    const status = failed.length === 0 ? 200 : ok.length === 0 ? 409 : 202;
    response.writeHead(status, { 'content-type': 'application/dicom+json' }).end(JSON.stringify(report));
  }
}

/** Reads the SOP Instance UID of a file: the first text after `uid:` in the files of these tests, else the one in the file's header. */
function nameIn(bytes: Buffer): string {
  const text = bytes.toString('latin1');
  const [, plain] = /uid:([\d.]+)/.exec(text) ?? [];
  if (plain !== undefined) return plain;
  const at = text.indexOf('\x02\x00\x03\x00UI');
  const length = bytes.readUInt16LE(at + 6);
  return text.slice(at + 8, at + 8 + length).replace(/\0$/, '');
}

/** A file that begins as DICOM does, and names itself. */
export function smallFile(uid: string, content = ''): Buffer {
  return Buffer.concat([Buffer.alloc(128), Buffer.from(`DICMuid:${uid} ${content}`, 'latin1')]);
}

/** Sends a file as the only part of a body. */
export function multipart(response: ServerResponse, boundary: string, bytes: Buffer): void {
  const quoted = /^[\w-]+$/.test(boundary) ? boundary : `"${boundary}"`;
  response.writeHead(200, { 'content-type': `multipart/related; type="application/dicom"; boundary=${quoted}` });
  response.end(Buffer.concat([Buffer.from(`--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`), bytes, endOf(boundary)]));
}

export function endOf(boundary: string): Buffer {
  return Buffer.from(`\r\n--${boundary}--\r\n`);
}

/** Answers with a status. */
export function status(code: number, headers: Record<string, string> = {}): ArchiveFault {
  return (request, response) => {
    request.resume();
    request.once('end', () => response.writeHead(code, headers).end());
  };
}

export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

export function filesIn(body: Buffer, type: string): Buffer[] {
  const [, boundary = ''] = /boundary=(\S+)/.exec(type) ?? [];
  const edge = Buffer.from(`--${boundary}`);
  const files: Buffer[] = [];
  for (let from = body.indexOf(edge); ; ) {
    const head = body.indexOf('\r\n\r\n', from);
    const next = body.indexOf(edge, from + edge.length);
    if (head < 0 || next < 0) return files;
    files.push(body.subarray(head + 4, next - 2));
    from = next;
  }
}
