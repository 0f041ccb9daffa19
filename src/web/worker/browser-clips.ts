import type { AnswerOf, Job } from '../../serve/index.js';
import type { ClipEngine } from '../page/clip/clip-engine.js';

type Run = <J extends Job>(job: J, signal: AbortSignal) => Promise<AnswerOf<J>>;

/** The overlap above which the lower-scoring of two boxes of a phrase is dropped. */
const NMS = 0.5;
const MOST_BOXES = 100;

/** Clips in the worker, by its jobs. */
export function browserClips(run: Run): ClipEngine {
  return {
    async open(file, signal) {
      const bytes = new Uint8Array(await file.arrayBuffer());
      return run({ kind: 'clip-open', bytes, name: file.name, mmPerPixel: undefined }, signal);
    },

    async frame({ id }, frame, signal) {
      const png = await run({ kind: 'clip-frame', id, frame }, signal);
      return createImageBitmap(new Blob([png as Uint8Array<ArrayBuffer>], { type: 'image/png' }));
    },

    find: ({ id }, question, signal) =>
      run({ kind: 'clip-find', id, ...question, nmsThreshold: NMS, maxDetections: MOST_BOXES }, signal),

    mark: ({ id }, { frame, track, phrase = '', bbox, points = [], labels = points.map(() => 1), mask }, signal) => {
      const boxXyxyPx = bbox && ([bbox[0], bbox[1], bbox[0] + bbox[2], bbox[1] + bbox[3]] as const);
      return run({ kind: 'clip-mark', id, frame, track, phrase, boxXyxyPx, points, labels, mask }, signal);
    },

    remove: ({ id }, track, signal) => run({ kind: 'clip-remove', id, track }, signal),

    undo: ({ id }, signal) => run({ kind: 'clip-undo', id }, signal),

    async *propagate({ id }, from, direction, signal) {
      const { frames, undo } = await run({ kind: 'clip-begin', id, from, direction }, signal);
      yield { kind: 'begun', frames: frames.length, undo };
      for (const frame of frames) yield { kind: 'frame', frame: await run({ kind: 'clip-step', id, frame, direction }, signal) };
    },

    close({ id }) {
      run({ kind: 'clip-close', id }, new AbortController().signal).catch(() => {});
    },
  };
}
