import type { BackendName } from '../../backend/index.js';
import type { BinaryMask, RasterImage } from '../../imaging/index.js';
import type { LoadOptionsOrBoxes, TrackingKind } from '../../infer/index.js';
import type { ServeLimits } from '../limits.js';
import type { AnswerOf, ExemplarSource, ImageSource, Job } from './jobs.js';

/** Options of an engine. */
export interface EngineOptions {
  readonly models: LoadOptionsOrBoxes;
  /** A UniverSeg with weights, for exemplars. Absent: exemplars are refused. */
  readonly universeg?: string | undefined;
  readonly backend: BackendName;
  readonly limits: ServeLimits;
  /** Folder for videos while they are open. Absent: they are refused. */
  readonly scratch?: string | undefined;
}

/** Backend and models of an engine. */
export interface EngineFacts {
  readonly backend: string;
  readonly detector: string;
  readonly masker: string | null;
  readonly adapter: string | null;
  /** Whether the masker supports points in addition to boxes. */
  readonly points: boolean;
  /** The model that segments by exemplars. */
  readonly exemplars: string | null;
  /** How objects are followed through clips: by the masker's memory, or by looking for them on each frame; null without a masker. */
  readonly clips: TrackingKind | null;
}

/** Segments images by exemplars. */
export interface ExemplarRunner {
  readonly name: string;
  /**
   * @param read - decodes an exemplar's image.
   * @returns an empty mask where nothing looks like the exemplars, and the mean probability inside.
   */
  segment(
    image: RasterImage,
    exemplars: readonly ExemplarSource[],
    read: (source: ImageSource) => Promise<RasterImage>,
  ): Promise<{ readonly mask: BinaryMask; readonly score: number }>;
  dispose(): void;
}

/** Runs jobs. The caller must submit one at a time. */
export interface Engine {
  readonly facts: EngineFacts;
  /**
   * @param signal - aborted when the job has timed out.
   * @throws SonogroundError for bad input; HttpError when the job was aborted.
   */
  run<J extends Job>(job: J, signal?: AbortSignal): Promise<AnswerOf<J>>;
  close(): Promise<void>;
}
