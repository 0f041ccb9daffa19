/** Resource limits that protect the server from its clients. */
export interface ServeLimits {
  /** Size of an uploaded file in bytes. Default: 64 MiB. */
  readonly uploadBytes: number;
  /** Pixels per image. Default: 40 million. */
  readonly pixels: number;
  /** Size of a decompressed volume or cine clip in bytes. Default: 1 GB. */
  readonly unpackedBytes: number;
  /** Requests queued while one is processed. Default: 8. */
  readonly waiting: number;
  /** Timeout in milliseconds for a body to arrive, a job to wait and run, and a response to be delivered. Default: 120,000. */
  readonly timeoutMs: number;
  /** Images cached in memory, so that they need not be uploaded again: an image and its exemplars at least. Default: 24. */
  readonly keptImages: number;
  /** Clips kept in memory, with all that is known of their objects. Default: 3. */
  readonly keptClips: number;
  /** Frames of a clip. Default: 5000. */
  readonly clipFrames: number;
  /** Objects followed in a clip. Default: 32. */
  readonly clipObjects: number;
  /** Changes to a clip that can be undone. Default: 20. */
  readonly clipUndo: number;
  /** A clip that was not used for so many milliseconds is closed. Default: half an hour. */
  readonly clipIdleMs: number;
  /** Total memory in bytes for bodies and responses of all requests; at least one upload fits. Default: 512 MiB. */
  readonly heldBytes: number;
  /** Minimum upload rate in bytes per second, averaged over each window. Default: 4096. */
  readonly leastBytesPerS: number;
  /** Length of this window in milliseconds. Default: 10,000. */
  readonly windowMs: number;
  /** Timeout in milliseconds for the head of a request. Default: 10,000. */
  readonly headMs: number;
  /** Simultaneous connections. Default: 256. */
  readonly connections: number;
}

export const defaultLimits: ServeLimits = {
  uploadBytes: 64 * 1024 * 1024,
  pixels: 40e6,
  unpackedBytes: 1e9,
  waiting: 8,
  timeoutMs: 120_000,
  keptImages: 24,
  keptClips: 3,
  clipFrames: 5000,
  clipObjects: 32,
  clipUndo: 20,
  clipIdleMs: 30 * 60_000,
  heldBytes: 512 * 1024 * 1024,
  leastBytesPerS: 4096,
  windowMs: 10_000,
  headMs: 10_000,
  connections: 256,
};

/** Fixed limits of a single request. */
export const requestLimits = {
  promptLetters: 2000,
  prompts: 16,
  boxes: 64,
  points: 64,
  found: 300,
  exemplars: 16,
  polygons: 64,
  vertices: 4096,
} as const;

/** Allowance for multipart framing and other fields. */
export const MARGIN_BYTES = 64 * 1024;

/** Maximum size of a body in bytes: base64 takes four characters for three bytes. */
export function bodyBytes({ uploadBytes }: Pick<ServeLimits, 'uploadBytes'>): number {
  return Math.ceil((uploadBytes * 4) / 3) + MARGIN_BYTES;
}
