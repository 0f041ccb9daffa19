import {
  type Calibration,
  calibrated,
  encodePng,
  instanceIn,
  maskArea,
  maskToRle,
  type OpenedClip,
  openClipBytes,
  type Size,
  type SpacingMm,
} from '../../../imaging/index.js';
import {
  type ClipTracking,
  DetectionSession,
  type Masker,
  MemorySession,
  type Segmenter,
  type SessionFrame,
  type SessionSegment,
  type SessionState,
} from '../../../infer/index.js';
import { measureMask, measuresFields, withGivenSpacing } from '../../../measure/index.js';
import { PromptTokenizer } from '../../../prompts/index.js';
import { UsageError } from '../../../util/index.js';
import type { ServeLimits } from '../../limits.js';
import { decodeSentMask } from '../decode-sent-mask.js';
import type { ClipAnswers, ClipChange, ClipJob, FindJob, MarkJob, OpenedClipRecord, SentFrame, SentTrack } from './clip-jobs.js';
import { type KeptClip, KeptClips } from './kept-clips.js';

/** Models for clips; owned by whoever gives them. */
export interface ClipModels {
  readonly segmenter: Segmenter<Masker | undefined>;
  /** Remembers objects; undefined: they are looked for on each frame. */
  readonly tracking: ClipTracking | undefined;
}

/** Options of a {@link ClipDesk}. */
export interface ClipDeskOptions {
  readonly limits: ServeLimits;
  /** Folder for videos while they are open. */
  readonly scratch?: string | undefined;
  /** The time in milliseconds. */
  readonly now?: () => number;
}

/** Runs the jobs of clips, and keeps the clips between them. */
export class ClipDesk {
  private readonly models: ClipModels;
  private readonly limits: ServeLimits;
  private readonly scratch: string | undefined;
  private readonly clips: KeptClips;

  constructor(models: ClipModels, { limits, scratch, now = Date.now }: ClipDeskOptions) {
    this.models = models;
    this.limits = limits;
    this.scratch = scratch;
    this.clips = new KeptClips(limits, now);
  }

  /** Number of clips in memory. */
  get kept(): number {
    return this.clips.size;
  }

  /** A clip as a segmentation refers to it. @throws HttpError 404 when it is not kept. */
  sourceOf(id: string): { readonly size: Size; readonly instance: string | undefined } {
    const { clip, instance } = this.clips.get(id);
    return { size: { width: clip.width, height: clip.height }, instance };
  }

  async answer(job: ClipJob): Promise<ClipAnswers[ClipJob['kind']]> {
    await this.clips.sweep();
    if (job.kind === 'clip-open') return this.open(job.bytes, job.name, job.mmPerPixel);
    const kept = this.clips.get(job.id);
    switch (job.kind) {
      case 'clip-frame':
        return encodePng(await kept.clip.frame(job.frame));
      case 'clip-find':
        return this.change(kept, () => this.find(kept, job));
      case 'clip-mark':
        return this.change(kept, () => this.mark(kept, job));
      case 'clip-remove': {
        const { undo } = await this.change(kept, async () => {
          kept.session.remove(job.track);
          return { frame: 0, segments: [] };
        });
        return { undo };
      }
      case 'clip-begin': {
        const frames = kept.session.plan(job);
        this.remember(kept, await kept.session.save());
        return { frames, undo: kept.before.length };
      }
      case 'clip-step':
        return this.sent(kept, await kept.session.step(job.frame, job.direction));
      case 'clip-undo':
        return this.undo(kept);
      case 'clip-close':
        await this.clips.close(job.id);
        return {};
    }
  }

  /** Closes clips that were not used for a while. */
  sweep(): Promise<void> {
    return this.clips.sweep();
  }

  private async open(bytes: Uint8Array, name: string, mmPerPixel: SpacingMm | undefined): Promise<OpenedClipRecord> {
    const { segmenter, tracking } = this.models;
    if (segmenter.masker === undefined)
      throw new UsageError({
        code: 'E_OPTION_MISSING',
        where: 'clips',
        what: 'there is no masker, and what is followed in a clip is a mask',
        fix: 'Start the server with a --masker',
      });
    const opened = await openClipBytes(bytes, { ...this.limits, scratch: this.scratch }, name);
    try {
      const clip = withSpacing(opened, mmPerPixel);
      // A codec that cannot be read is reported before anything is marked.
      const { spacingMm } = await clip.frame(0);
      const { clipObjects } = this.limits;
      const session =
        tracking === undefined
          ? new DetectionSession(clip, segmenter as Segmenter<Masker>, clipObjects)
          : new MemorySession(clip, await tracking.track(clip), segmenter.detector, clipObjects);
      const { id } = await this.clips.add(clip, session, await instanceIn(bytes, name));
      const { width, height, frames, frameSeconds, notices } = clip;
      return {
        id,
        width,
        height,
        frames,
        frame_seconds: frameSeconds ?? null,
        spacing_mm: spacingMm ?? null,
        tracking: session.tracking,
        notices,
      };
    } catch (error) {
      await opened.close();
      throw error;
    }
  }

  private find({ session }: KeptClip, { frame, prompt, threshold, nmsThreshold, select, maxDetections }: FindJob) {
    const phrases = PromptTokenizer.parsePrompt(prompt);
    return session.find(frame, [...new Set(phrases)], { threshold, nmsThreshold, select, maxDetections });
  }

  private mark({ session, clip }: KeptClip, { frame, track, phrase, boxXyxyPx, points, labels, mask }: MarkJob) {
    return session.mark({
      frame,
      track,
      phrase,
      box: boxXyxyPx,
      ...(points.length > 0 && { points, labels }),
      mask: mask && decodeSentMask(mask, clip, 'mask'),
    });
  }

  /** Makes a change that can be undone; if it fails, nothing has changed. */
  private async change(kept: KeptClip, make: () => Promise<SessionFrame>): Promise<ClipChange> {
    const state = await kept.session.save();
    try {
      const sent = await this.sent(kept, await make());
      this.remember(kept, state);
      return { ...sent, undo: kept.before.length };
    } catch (error) {
      await kept.session.restore(state);
      throw error;
    }
  }

  private remember({ before }: KeptClip, state: SessionState): void {
    before.push(state);
    while (before.length > this.limits.clipUndo) before.shift()?.dispose();
  }

  private async undo({ session, before }: KeptClip): Promise<{ readonly undo: number }> {
    const state = before.pop();
    if (state === undefined) throw new UsageError({ code: 'E_PROMPT_INVALID', where: 'undo', what: 'there is nothing to undo' });
    await session.restore(state);
    return { undo: before.length };
  }

  private async sent({ clip }: KeptClip, { frame, segments }: SessionFrame): Promise<SentFrame> {
    const calibration = segments.length === 0 ? undefined : (await clip.frame(frame)).calibration;
    return { frame, tracks: segments.map((segment) => sentTrack(segment, calibration)) };
  }

  async close(): Promise<void> {
    await this.clips.closeAll();
  }
}

function withSpacing(clip: OpenedClip, mmPerPixel: SpacingMm | undefined): OpenedClip {
  if (mmPerPixel === undefined) return clip;
  const frame = async (index: number) => {
    const image = await clip.frame(index);
    return calibrated(image, withGivenSpacing(image.calibration, mmPerPixel, 'mm_per_pixel'));
  };
  return { ...clip, frame };
}

function sentTrack(
  { track, phrase, score, objectScore, maskScore, marked, boxXyxyPx, mask }: SessionSegment,
  calibration: Calibration | undefined,
): SentTrack {
  const about = { track, phrase, score, object_score: objectScore, mask_score: maskScore, marked };
  if (boxXyxyPx === undefined) return { ...about, bbox: null, area: 0, measures: null, mask: null };
  const [x0, y0, x1, y1] = boxXyxyPx;
  return {
    ...about,
    bbox: [x0, y0, x1 - x0, y1 - y0],
    area: maskArea(mask),
    ...measuresFields(measureMask(mask, calibration)),
    mask: maskToRle(mask),
  };
}
