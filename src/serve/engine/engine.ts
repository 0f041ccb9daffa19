import type { BackendName } from '../../backend/index.js';
import type { LoadOptionsOrBoxes } from '../../infer/index.js';
import type { ServeLimits } from '../limits.js';
import type { AnswerOf, Job } from './jobs.js';

/** Options of an engine. */
export interface EngineOptions {
  readonly models: LoadOptionsOrBoxes;
  readonly backend: BackendName;
  readonly limits: ServeLimits;
}

/** Backend and models of an engine. */
export interface EngineFacts {
  readonly backend: string;
  readonly detector: string;
  readonly masker: string | null;
  readonly adapter: string | null;
  /** Whether the masker supports points in addition to boxes. */
  readonly points: boolean;
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
