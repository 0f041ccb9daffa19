import { SonogroundError } from '../errors/index.js';

/** Codes of a server that answers without encryption where it was asked with. */
const NO_TLS = ['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG'];

/** Codes of certificates that are not trusted. */
const TRUST = /CERT|SELF_SIGNED|UNABLE_TO_|^ERR_(?:SSL|TLS)/;

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its name is not known (ENOTFOUND)',
  EAI_AGAIN: 'its name cannot be looked up (EAI_AGAIN)',
  ECONNREFUSED: 'it refuses the connection (ECONNREFUSED)',
  TimeoutError: 'it does not answer',
};

/** A connection that failed, was interrupted or went silent. */
export class ConnectionLost extends Error {
  constructor(
    /** The system's error code, or the name of the error. */
    readonly code: string,
    readonly url: URL,
    cause: unknown,
  ) {
    super(`${url.origin}: ${code}`, { cause });
  }

  /** Wraps what `fetch`, or reading its answer, has thrown; errors of this library stay as they are. */
  static from(cause: unknown, url: URL): unknown {
    if (cause instanceof SonogroundError || cause instanceof ConnectionLost) return cause;
    const { name, cause: inner } = cause as Error & { cause?: { code?: string; message?: string } };
    return new ConnectionLost(inner?.code ?? inner?.message ?? name, url, cause);
  }

  /** Whether the host's certificate is not trusted. */
  get untrusted(): boolean {
    return TRUST.test(this.code) && !this.plain;
  }

  /** Whether the server was asked over TLS, and does not speak it. */
  get plain(): boolean {
    return NO_TLS.includes(this.code);
  }

  /** What happened, in words, as in "it refuses the connection (ECONNREFUSED)". */
  get problem(): string {
    if (this.plain) return `it does not speak TLS (${this.code})`;
    return PROBLEMS[this.code] ?? `the connection failed (${this.code})`;
  }
}
