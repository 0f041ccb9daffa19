import type { BackendName } from '../../backend/index.js';
import type { LoadOptionsOrBoxes } from '../../infer/index.js';
import type { ServeLimits } from '../limits.js';
import type { AnswerOf, Job } from './jobs.js';

/** What an engine is made of. */
export interface EngineOptions {
  readonly models: LoadOptionsOrBoxes;
  readonly backend: BackendName;
  readonly limits: ServeLimits;
}

/** What an engine runs on. */
export interface EngineFacts {
  readonly backend: string;
  readonly detector: string;
  readonly masker: string | null;
  readonly adapter: string | null;
  /** Whether the masker answers points, not only boxes. */
  readonly points: boolean;
}

/** Does the work of requests. One job at a time: whoever calls sees to that. */
export interface Engine {
  readonly facts: EngineFacts;
  /**
   * @param signal - aborted when the job has taken too long.
   * @throws SonogroundError for bad input; HttpError when the signal came first.
   */
  run<J extends Job>(job: J, signal?: AbortSignal): Promise<AnswerOf<J>>;
  close(): Promise<void>;
}
