import type { ClipChange, OpenedClipRecord } from '../../../serve/engine/clips/clip-jobs.js';
import { ApiError } from '../requests.js';
import type { Tasks } from '../tasks.js';
import type { ClipEngine } from './clip-engine.js';
import type { ClipView, ShownClip } from './clip-view.js';

/** The clip that is open. */
export interface OpenClip extends ShownClip {
  readonly file: File;
  opened: OpenedClipRecord;
  /** Aborted when another file is opened. */
  readonly open: AbortController;
}

/** The clip for those who act on it. */
export interface ClipActions {
  readonly engine: () => ClipEngine;
  readonly tasks: Tasks;
  readonly view: ClipView;
  readonly current: OpenClip | undefined;
  /** The current frame. */
  readonly frame: number;
  /** Runs a task on the clip; one that the engine no longer has is sent again first. */
  work(busy: string, body: (clip: OpenClip, signal: AbortSignal) => Promise<string>): Promise<void>;
  /**
   * Takes over what the engine has changed.
   *
   * @param more - called for each object of the change; belongs to the same step of undoing.
   */
  take(change: ClipChange, more?: (track: number) => void): void;
  /** Brings everything that is shown up to date. */
  refresh(): void;
}

/** Whether the engine no longer has what was asked for. */
export function isGone(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}
