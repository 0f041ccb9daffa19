import { mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { drawOverlay, maskToPng, type OpenedClip, openClip, type RasterImage, writeMp4, writeWebp } from '../../imaging/index.js';
import { measureMask } from '../../measure/index.js';
import { DataError, type Logger, safeRelative, writeFileAtomic } from '../../util/index.js';
import type { BatchImage } from '../batch/batch-image.js';
import { type ClipRecord, clipResult, writeRecord } from './clip-record.js';
import type { ClipFrame, ClipOptions, ClipSegmenter } from './clip-segment.js';
import { trackRow } from './track-rows.js';

/** Subfolder with the overlays of the clip in work, frame by frame, until they are joined. */
export const overlayFrames = '.frames';

/** What {@link segmentClip} works with. */
interface ClipWork extends Pick<ClipRecord, 'key' | 'settings'> {
  readonly segmenter: ClipSegmenter;
  readonly phrases: readonly string[];
  readonly selection: ClipOptions;
  /** Output folder. */
  readonly out: string;
  /** Whether to join overlays to an MP4 too. */
  readonly mp4: boolean;
  readonly logger: Logger;
  /** Called after each frame. */
  readonly onFrame: (done: number, total: number) => void;
}

/**
 * Segments one clip and writes its masks, overlays and record, as far as it can be read.
 *
 * @returns no record for a clip that cannot be opened; an error with the record of the frames before it.
 */
export async function segmentClip(
  image: BatchImage,
  work: ClipWork,
): Promise<{ readonly record?: ClipRecord; readonly error?: Error | undefined }> {
  const { segmenter, phrases, selection, key, settings, out, logger, onFrame } = work;
  let clip: OpenedClip;
  try {
    clip = await openClip(image.path);
  } catch (error) {
    return { error: error as Error };
  }
  for (const notice of clip.notices) logger.warn(notice);
  const { width, height, frames, frameSeconds } = clip;
  const record: ClipRecord = {
    id: image.id,
    fileName: image.fileName,
    key,
    settings,
    tracking: segmenter.tracking,
    width,
    height,
    frames,
    frameSeconds,
    done: [],
    notices: [...clip.notices],
    files: [],
    results: [],
    rows: [],
  };
  const overlays: string[] = [];
  let error: Error | undefined;
  try {
    for await (const found of segmenter.segment(clip, phrases, selection)) {
      const raster = await clip.frame(found.frame);
      record.files.push(...(await writeMasks(out, image.id, found, frames)));
      const overlay = join(out, overlayFrames, `${found.frame}.png`);
      await writeFileAtomic(overlay, await overlayOf(raster, found));
      overlays.push(overlay);
      note(record, found, raster, nameOf(clip, image, found.frame));
      onFrame(record.done.length, frames);
    }
    if (record.done.length < frames)
      record.problem = selection.signal?.aborted ? 'interrupted' : `it ended after ${record.done.length} frames`;
  } catch (cause) {
    error = cause as Error;
    record.problem = error.message;
  } finally {
    await clip.close();
  }
  try {
    if (overlays.length > 0) record.files.push(...(await joinOverlays(image.id, overlays, frameSeconds, work)));
    await writeRecord(out, record);
  } catch (cause) {
    error ??= cause as Error;
  }
  await Promise.all(overlays.map((file) => rm(file, { force: true })));
  return { record, error };
}

/** Adds a frame to a record. */
function note(record: ClipRecord, { frame, segments }: ClipFrame, image: RasterImage, name: string): void {
  record.done.push(name);
  const seconds = record.frameSeconds === undefined ? undefined : frame * record.frameSeconds;
  for (const segment of segments) {
    const measures = measureMask(segment.mask, image.calibration);
    record.rows.push(trackRow({ segment, frame, seconds, measures }));
    if (segment.visible) record.results.push(clipResult(segment, frame, measures));
  }
}

/** A frame's own file, or its number in the clip's file. */
function nameOf(clip: OpenedClip, { path, fileName }: BatchImage, frame: number): string {
  const address = clip.address(frame);
  return address === path || address.startsWith(`${path}#`) ? `${fileName}#${frame}` : `${fileName}/${basename(address)}`;
}

async function writeMasks(out: string, id: string, { frame, segments }: ClipFrame, frames: number): Promise<string[]> {
  const digits = String(frames - 1).length;
  const visible = segments.filter((segment) => segment.visible);
  return Promise.all(
    visible.map(async ({ track, mask }) => {
      const name = `masks/${safeRelative(id, 'a clip id')}/${String(frame).padStart(digits, '0')}_${track}.png`;
      await writeFileAtomic(join(out, name), await maskToPng(mask));
      return name;
    }),
  );
}

function overlayOf(raster: RasterImage, { segments }: ClipFrame): Promise<Buffer> {
  const labelOf = ({ phrase, track }: ClipFrame['segments'][number]) => `${phrase} ${track}`;
  const items = segments
    .filter(({ visible }) => visible)
    .map((segment) => ({ ...segment, phrase: labelOf(segment), score: segment.objectScore }));
  // All tracks so far: each keeps its colour.
  return drawOverlay(raster, items, segments.map(labelOf));
}

async function joinOverlays(
  id: string,
  overlays: readonly string[],
  seconds: number | undefined,
  { out, mp4, logger }: ClipWork,
): Promise<string[]> {
  const name = `overlays/${safeRelative(id, 'a clip id')}`;
  await mkdir(join(out, name, '..'), { recursive: true });
  await writeWebp(join(out, `${name}.webp`), overlays, seconds);
  if (!mp4) return [`${name}.webp`];
  try {
    await writeMp4(join(out, `${name}.mp4`), overlays, seconds);
    return [`${name}.webp`, `${name}.mp4`];
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    logger.warn(error.message);
    return [`${name}.webp`];
  }
}
