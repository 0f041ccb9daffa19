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
  /** Milliseconds that a request may take, waiting included. Default: 120,000. */
  readonly timeoutMs: number;
  /** Pictures that stay in memory, so that they need not be sent again. Default: 8. */
  readonly keptImages: number;
}

export const defaultLimits: ServeLimits = {
  uploadBytes: 64 * 1024 * 1024,
  pixels: 40e6,
  unpackedBytes: 1e9,
  waiting: 8,
  timeoutMs: 120_000,
  keptImages: 8,
};

/** Limits of a single request that nobody has a reason to change. */
export const requestLimits = { promptLetters: 2000, prompts: 16, boxes: 64, points: 64, found: 300 } as const;
