/** What a server takes from those who ask, so that none of them can bring it down. */
export interface ServeLimits {
  /** Bytes of an uploaded file. Default: 64 MiB. */
  readonly uploadBytes: number;
  /** Pixels of a picture. Default: 40 million. */
  readonly pixels: number;
  /** Bytes of a volume or film when it is unpacked. Default: 1 GB. */
  readonly unpackedBytes: number;
  /** Requests that wait while one is computed. Default: 8. */
  readonly waiting: number;
  /** Milliseconds that a body may take to arrive, a job to wait and compute, and an answer to be taken. Default: 120,000. */
  readonly timeoutMs: number;
  /** Pictures that stay in memory, so that they need not be sent again. Default: 8. */
  readonly keptImages: number;
  /** Bytes of bodies and answers that all requests together hold; at least one upload fits. Default: 512 MiB. */
  readonly heldBytes: number;
  /** Bytes a second that a body must bring, on average over each window. Default: 4096. */
  readonly leastBytesPerS: number;
  /** Milliseconds of such a window. Default: 10,000. */
  readonly windowMs: number;
  /** Milliseconds that the head of a request may take. Default: 10,000. */
  readonly headMs: number;
  /** Connections at a time. Default: 256. */
  readonly connections: number;
}

export const defaultLimits: ServeLimits = {
  uploadBytes: 64 * 1024 * 1024,
  pixels: 40e6,
  unpackedBytes: 1e9,
  waiting: 8,
  timeoutMs: 120_000,
  keptImages: 8,
  heldBytes: 512 * 1024 * 1024,
  leastBytesPerS: 4096,
  windowMs: 10_000,
  headMs: 10_000,
  connections: 256,
};

/** Limits of a single request that nobody has a reason to change. */
export const requestLimits = { promptLetters: 2000, prompts: 16, boxes: 64, points: 64, found: 300 } as const;

/** Room for what is around an upload. */
export const MARGIN_BYTES = 64 * 1024;

/** Bytes of a whole body: base64 takes four letters for three bytes. */
export function bodyBytes({ uploadBytes }: Pick<ServeLimits, 'uploadBytes'>): number {
  return Math.ceil((uploadBytes * 4) / 3) + MARGIN_BYTES;
}
