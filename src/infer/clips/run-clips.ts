import { createHash } from 'node:crypto';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  drawOverlay,
  hasFfmpeg,
  maskToPng,
  type OpenedClip,
  openClip,
  type RasterImage,
  writeMp4,
  writeWebp,
} from '../../imaging/index.js';
import { measureMask } from '../../measure/index.js';
import { PromptTokenizer } from '../../prompts/index.js';
import {
  concernsOneFile,
  DataError,
  InUseError,
  type Logger,
  SonogroundError,
  safeRelative,
  silentLogger,
  UsageError,
  writeFileAtomic,
} from '../../util/index.js';
import type { BatchImage } from '../batch/batch-image.js';
import { batchFolderFile } from '../batch/folder.js';
import { journalFile } from '../batch/journal.js';
import { withBatchLock } from '../batch/outputs.js';
import { type BatchSettings, imageKey, settingsKey } from '../batch/settings.js';
import {
  type EvidenceSettings,
  type EvidenceSource,
  type EvidenceSummary,
  trackedObjects,
  writeEvidence,
} from '../evidence/index.js';
import { type ClipRecord, clipResult, readRecords, writeLists, writeRecord } from './clip-record.js';
import type { ClipFrame, ClipSegmenter, TrackingKind } from './clip-segment.js';
import { trackRow } from './track-rows.js';

/** Everything that the results of clips depend on besides the clips. */
interface ClipSettings extends BatchSettings {
  readonly tracking: TrackingKind;
  /** The detector looks again on every n-th frame. */
  readonly every?: number | undefined;
}

interface RunClipsOptions {
  readonly clips: readonly BatchImage[];
  readonly settings: ClipSettings;
  /** Output folder, for `results.json`, `images.json`, `tracks.csv`, `overlays/` and `masks/`. */
  readonly out: string;
  /** Also write segmentations and reports in DICOM, of clips that are DICOM. Default: none. */
  readonly evidence?: EvidenceSettings | undefined;
  /** Loads the models; only called when there is a clip to segment. */
  readonly load: () => Promise<ClipSegmenter>;
  /** Segment finished clips again. Default: false. */
  readonly overwrite?: boolean;
  /** Whether to skip or stop at a clip with a frame that cannot be read. Default: `skip`. */
  readonly onBad?: 'stop' | 'skip';
  /** Stops after the current frame. */
  readonly signal?: AbortSignal;
  /** Called after each frame. */
  readonly onProgress?: (done: number, total: number, clip: BatchImage) => void;
  readonly logger?: Logger;
}

/** Result of {@link runClips}. */
interface ClipsSummary {
  /** Clips finished in this call, and their frames, those of unfinished clips included. */
  readonly done: number;
  readonly frames: number;
  /** Clips finished in earlier calls. */
  readonly skipped: number;
  /** Tracks in all clips of `results.json`. */
  readonly tracks: number;
  /** One message per clip that could not be read to its end. */
  readonly bad: readonly string[];
  /** Segmentations and reports in DICOM, if they were asked for. */
  readonly evidence?: EvidenceSummary | undefined;
}

/**
 * Segments clips and follows what was found: for each clip an animated overlay (WebP, and MP4 where ffmpeg is installed) and masks
 * per frame; for all clips `results.json` in COCO's results format with `track_id`, `images.json` with its frames, and
 * `tracks.csv`. Finished clips are skipped. A clip that cannot be read to its end, or that was interrupted, keeps what was done,
 * says so in `images.json`, and is started again by the next call.
 *
 * @throws DataError for the first clip that cannot be read, if `onBad` is `stop`; UsageError for a folder with results of images.
 */
export function runClips(options: RunClipsOptions): Promise<ClipsSummary> {
  return withBatchLock(options.out, () => run(options));
}

async function run(options: RunClipsOptions): Promise<ClipsSummary> {
  const { clips, settings, out, load, overwrite = false, onBad = 'skip', signal, logger = silentLogger } = options;
  if ((await stat(join(out, journalFile)).catch(() => undefined)) !== undefined)
    throw new UsageError({
      code: 'E_OUTPUT_EXISTS',
      where: out,
      what: 'it holds results of images, not of clips',
      fix: 'Choose another folder',
    });
  const phrases = settings.prompts.flatMap((prompt) => PromptTokenizer.parsePrompt(prompt));
  const key = await settingsKey(settings);
  const records = await readRecords(out);
  for (const [id, { settings: own }] of records) if (own !== key) records.delete(id);
  await rm(join(out, FRAMES), { recursive: true, force: true });
  await mkdir(join(out, FRAMES), { recursive: true });
  await writeFileAtomic(join(out, batchFolderFile), `${JSON.stringify({ ...settings, key, clips: clips.length }, null, 2)}\n`);
  const bad: string[] = [];
  let [done, frames, skipped] = [0, 0, 0];
  let segmenter: ClipSegmenter | undefined;
  const mp4 = await hasFfmpeg();
  try {
    for (const clip of clips) {
      if (signal?.aborted) break;
      const own = await clipKey(clip.path, key);
      if (!overwrite && (await isDone(records.get(clip.id), own, out))) {
        skipped += 1;
        continue;
      }
      segmenter ??= await load();
      await removeFiles(out, records.get(clip.id));
      records.delete(clip.id);
      const { record, error } = await segmentClip(clip, { segmenter, phrases, key, own, mp4, options, logger });
      if (record !== undefined) records.set(clip.id, record);
      frames += record?.done.length ?? 0;
      await writeLists(out, [...records.values()], phrases);
      if (error !== undefined) {
        if (onBad === 'stop' || !isOfOneClip(error)) throw error;
        bad.push(error.message);
      } else if (record?.problem === undefined) done += 1;
    }
  } finally {
    segmenter?.dispose();
    await rm(join(out, FRAMES), { recursive: true, force: true });
  }
  await writeLists(out, [...records.values()], phrases);
  const tracks = [...records.values()].reduce(
    (sum, { results }) => sum + new Set(results.map(({ track_id }) => track_id)).size,
    0,
  );
  const evidence = signal?.aborted ? undefined : await evidenceOf(options, records, key);
  return { done, frames, skipped, tracks, bad, evidence };
}

/** Writes segmentations and reports of the finished clips, if the options ask for them. */
async function evidenceOf(
  { out, clips, settings, evidence, onBad, signal }: RunClipsOptions,
  records: ReadonlyMap<string, ClipRecord>,
  key: string,
): Promise<EvidenceSummary | undefined> {
  if (evidence === undefined) return undefined;
  const sources: EvidenceSource[] = [];
  for (const image of clips) {
    const record = records.get(image.id);
    if (record === undefined || record.problem !== undefined || !(await isFile(image.path))) continue;
    const { results, fileName } = record;
    sources.push({ where: image.path, fileName, image, results, objects: () => trackedObjects(results) });
  }
  return writeEvidence(out, sources, settings, evidence, key, { onBad, signal });
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}

/** Overlays of the clip in work, frame by frame, until they are joined. */
const FRAMES = '.frames';

interface Work {
  readonly segmenter: ClipSegmenter;
  readonly phrases: readonly string[];
  readonly key: string;
  readonly own: string;
  readonly mp4: boolean;
  readonly options: RunClipsOptions;
  readonly logger: Logger;
}

/** Segments one clip and writes its files, as far as it can be read. */
async function segmentClip(
  image: BatchImage,
  work: Work,
): Promise<{ readonly record?: ClipRecord; readonly error?: Error | undefined }> {
  const { segmenter, phrases, key, own, options, logger } = work;
  const { out, settings, signal, onProgress } = options;
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
    key: own,
    settings: key,
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
    const { select, threshold, nmsThreshold, every } = settings;
    for await (const found of segmenter.segment(clip, phrases, { select, threshold, nmsThreshold, every, signal })) {
      const raster = await clip.frame(found.frame);
      record.files.push(...(await writeMasks(out, image.id, found, frames)));
      const overlay = join(out, FRAMES, `${found.frame}.png`);
      await writeFileAtomic(overlay, await overlayOf(raster, found));
      overlays.push(overlay);
      note(record, found, raster, nameOf(clip, image, found.frame));
      onProgress?.(record.done.length, frames, image);
    }
    if (record.done.length < frames)
      record.problem = signal?.aborted ? 'interrupted' : `it ended after ${record.done.length} frames`;
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
  { options: { out }, mp4, logger }: Work,
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

async function isDone(record: ClipRecord | undefined, key: string, out: string): Promise<boolean> {
  if (record === undefined || record.problem !== undefined || record.key !== key) return false;
  const infos = await Promise.all(record.files.map((name) => stat(join(out, name)).catch(() => undefined)));
  return infos.every((info) => info?.isFile());
}

async function removeFiles(out: string, record: ClipRecord | undefined): Promise<void> {
  await Promise.all((record?.files ?? []).map((name) => rm(join(out, name), { force: true }).catch(() => {})));
}

/** Hash of a clip's files and of the settings. */
async function clipKey(path: string, settings: string): Promise<string> {
  const info = await stat(path).catch(() => undefined);
  if (!info?.isDirectory()) return (await imageKey(localImage(path), settings)) ?? '';
  const names = (await readdir(path)).sort();
  const keys = await Promise.all(names.map((name) => imageKey(localImage(join(path, name)), settings)));
  return createHash('sha256').update(JSON.stringify(keys)).digest('hex').slice(0, 16);
}

function localImage(path: string): BatchImage {
  return { path, id: path, fileName: path };
}

/** Whether the next clip may still succeed. */
function isOfOneClip(error: unknown): boolean {
  if (error instanceof InUseError) return false;
  return error instanceof DataError || (error instanceof SonogroundError && concernsOneFile(error));
}
