import { ConnectionLost, SilenceWatch } from '../util/index.js';
import { DicomWebError } from './dicomweb-error.js';
import type { ArchiveSettings } from './settings.js';

/** A request to an archive. */
export interface Question {
  /** Below the service's address, with a leading slash. */
  readonly path: string;
  readonly accept: string;
  /** Sent by POST; without a body the request is a GET. */
  readonly body?: { readonly type: string; readonly bytes: Uint8Array<ArrayBuffer> };
}

/** A response whose body has not been read. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Chunks of the body. @throws ConnectionLost when it breaks off or pauses for too long. */
  pieces(): AsyncGenerator<Uint8Array, void>;
  /** The body as text. @throws DicomWebError when it is longer than any listing or report. */
  text(): Promise<string>;
  /** Must be called. */
  close(): void;
}

/** Redirects are followed within the archive alone: credentials and images go nowhere else. */
const REDIRECTS = [301, 302, 303, 307, 308];
const MOST_REDIRECTS = 5;

/** The slowest upload that is waited for, in bytes a millisecond. */
const SLOWEST_UPLOAD = 50;

/** Most bytes of a listing or report. */
const MOST_TEXT = 256 * 1024 * 1024;

/**
 * Sends a request.
 *
 * @param silenceMs - time without data after which the connection is given up.
 * @throws ConnectionLost; DicomWebError for a redirect elsewhere.
 */
export async function ask(question: Question, settings: ArchiveSettings, silenceMs: number): Promise<Answer> {
  const { path, accept, body } = question;
  const address = `${settings.address}${path}`;
  const watch = new SilenceWatch(silenceMs + (body?.bytes.length ?? 0) / SLOWEST_UPLOAD);
  let url = new URL(address);
  try {
    for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
      watch.heard();
      const response = await fetch(url, {
        method: body === undefined ? 'GET' : 'POST',
        redirect: 'manual',
        signal: watch.signal,
        headers: {
          accept,
          // Lengths in the headers are those of what arrives.
          'accept-encoding': 'identity',
          'user-agent': 'sonoground',
          ...(body && { 'content-type': body.type }),
          ...(settings.authorization !== undefined && { authorization: settings.authorization }),
        },
        ...(body && { body: body.bytes }),
      });
      if (!REDIRECTS.includes(response.status)) return new OpenAnswer(response, watch);
      await response.body?.cancel();
      url = target(response, url, body !== undefined);
    }
    throw elsewhere(address, `it redirects more than ${MOST_REDIRECTS} times`);
  } catch (cause) {
    watch.stop();
    throw ConnectionLost.from(cause, url);
  }
}

function target(response: Response, from: URL, posted: boolean): URL {
  const location = response.headers.get('location') ?? '';
  const url = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
  if (url === undefined || url.origin !== from.origin)
    throw elsewhere(from.href, `it redirects to ${JSON.stringify(url?.origin ?? location)}`);
  if (posted) throw elsewhere(from.href, `it redirects what is to be stored to ${url.pathname}`);
  return url;
}

function elsewhere(where: string, what: string): DicomWebError {
  return new DicomWebError({
    code: 'E_DICOMWEB_ANSWER',
    where,
    what,
    fix: 'Name the address of the archive itself; a login page may be in the way',
  });
}

function tooLong(where: string): DicomWebError {
  return new DicomWebError({
    code: 'E_DICOMWEB_ANSWER',
    where,
    what: `it answers with more than ${MOST_TEXT / 2 ** 20} MB of text`,
    fix: 'Check that the address is that of a DICOMweb service',
  });
}

class OpenAnswer implements Answer {
  readonly status: number;
  readonly headers: Headers;

  constructor(
    private readonly response: Response,
    private readonly watch: SilenceWatch,
  ) {
    this.status = response.status;
    this.headers = response.headers;
  }

  async *pieces(): AsyncGenerator<Uint8Array, void> {
    const reader = this.response.body?.getReader();
    try {
      for (;;) {
        const piece = await reader?.read();
        if (piece?.value === undefined) return;
        this.watch.heard();
        yield piece.value;
      }
    } catch (cause) {
      throw ConnectionLost.from(cause, new URL(this.response.url));
    } finally {
      // Whoever stops reading wants no more of it to be sent.
      await reader?.cancel().catch(() => {});
    }
  }

  async text(): Promise<string> {
    const pieces: Uint8Array[] = [];
    let length = 0;
    for await (const piece of this.pieces()) {
      length += piece.length;
      if (length > MOST_TEXT) throw tooLong(this.response.url);
      pieces.push(piece);
    }
    return Buffer.concat(pieces).toString('utf8');
  }

  close(): void {
    this.watch.stop();
  }
}
