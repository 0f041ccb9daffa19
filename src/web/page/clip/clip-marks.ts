import type { OpenedClipRecord } from '../../../serve/engine/clips/clip-jobs.js';
import type { ReadSegment } from '../../../serve/engine/jobs.js';
import { counted } from '../../../util/counted.js';
import type { Bbox, Rle } from '../layers.js';
import { phraseForDrawn } from '../panel.js';
import type { Mark } from './clip-engine.js';
import type { Drawn } from './clip-state.js';
import type { ClipActions, OpenClip } from './open-clip.js';

/** Marks objects on the frames of a clip: by what is drawn, or by masks. */
export class ClipMarks {
  private readonly actions: ClipActions;

  constructor(actions: ClipActions) {
    this.actions = actions;
  }

  /** A box names the selected object where that is not in sight, otherwise a new one. */
  drawn(bbox: Bbox): Promise<void> {
    const { chosenTrack, chosen } = this.actions.view.layers;
    return this.mark(chosenTrack !== undefined && chosen === undefined ? chosenTrack : undefined, { bbox, points: [] });
  }

  /** The box of an object was moved or resized. */
  moved(track: number, bbox: Bbox): Promise<void> {
    return this.mark(track, { bbox, points: [] });
  }

  /** A point for the selected object, or a new one. */
  point(at: readonly [number, number], inside: boolean): Promise<void> {
    const { current, frame, view } = this.actions;
    const track = view.layers.chosenTrack;
    const before = track === undefined ? undefined : current?.state.drawnFor(frame, track);
    const points = [...(before?.points ?? []), { at, inside }];
    // Without a memory, an earlier mask is known to the masker by its box alone.
    const seen = track === undefined ? undefined : current?.state.of(frame, track);
    const bbox = before === undefined && current?.opened.tracking === 'detection' ? seen?.bbox : before?.bbox;
    return this.mark(track, { points, ...(bbox != null && { bbox }) });
  }

  private async mark(track: number | undefined, drawn: Drawn): Promise<void> {
    const { actions } = this;
    const { frame } = actions;
    await actions.work('Segmenting', async (clip, signal) => {
      const { bbox, points } = drawn;
      const mark: Mark = {
        frame,
        ...(track === undefined ? { phrase: phraseForDrawn() } : { track }),
        ...(bbox !== undefined && { bbox }),
        ...(points.length > 0 && { points: points.map(({ at }) => at), labels: points.map(({ inside }) => (inside ? 1 : 0)) }),
      };
      const change = await actions.engine().mark(clip.opened, mark, signal);
      const [seen] = change.tracks;
      actions.take(change, (own) => clip.state.draw(frame, own, drawn));
      actions.view.layers.chosenTrack = seen?.track;
      actions.refresh();
      if (seen === undefined || seen.bbox === null) return `No mask on frame ${frame}`;
      return `Mask of ${seen.area} pixels on frame ${frame}, quality ${seen.mask_score.toFixed(2)}`;
    });
  }

  /**
   * Marks the segments of a segmentation on their frames, each an object with its name.
   *
   * @param read - reads the file.
   */
  async addSegmentation(
    file: File,
    read: (file: File, clip: OpenedClipRecord, signal: AbortSignal) => Promise<readonly ReadSegment[]>,
  ): Promise<void> {
    const { actions } = this;
    await actions.work('Reading the segmentation', async (clip, signal) => {
      const segments = await read(file, clip.opened, signal);
      const tracks = new Map<number, number>();
      for (const [i, { frame, segment, phrase, mask }] of segments.entries()) {
        const track = tracks.get(segment);
        const mark = { frame, mask: mask as Rle, ...(track === undefined ? { phrase } : { track }) };
        const change = await actions.engine().mark(clip.opened, mark, signal);
        actions.take(change);
        const [seen] = change.tracks;
        if (track === undefined && seen !== undefined) tracks.set(segment, seen.track);
        actions.tasks.say(`Reading the segmentation: ${i + 1} of ${segments.length} masks`);
      }
      const frames = new Set(segments.map(({ frame }) => frame)).size;
      return `${counted(tracks.size, 'segment')} of ${file.name}, on ${counted(frames, 'frame')}`;
    });
  }

  /** Marks everything that was marked again, by its masks, for an engine that does not know of it. */
  async repeat({ opened, state }: OpenClip, signal: AbortSignal): Promise<void> {
    const numbers = new Map<number, number>();
    for (const { track, phrase } of state.objects) {
      for (const frame of state.frames) {
        const seen = state.of(frame, track);
        if (seen?.marked !== true || seen.mask === null) continue;
        const known = numbers.get(track);
        const mark = { frame, phrase, mask: seen.mask, ...(known === undefined ? {} : { track: known }) };
        const { tracks } = await this.actions.engine().mark(opened, mark, signal);
        const [answer] = tracks;
        if (known === undefined && answer !== undefined) numbers.set(track, answer.track);
      }
    }
    state.renumber(numbers);
  }
}
