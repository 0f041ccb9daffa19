import { createHash } from 'node:crypto';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hasFfmpeg } from '../../imaging/index.js';
import { PromptTokenizer } from '../../prompts/index.js';
import {
  concernsOneFile,
  DataError,
  InUseError,
  type Logger,
  SonogroundError,
  silentLogger,
  writeFileAtomic,
} from '../../util/index.js';
import type { BatchImage } from '../batch/batch-image.js';
import { batchFolderFile, requireKind } from '../batch/folder.js';
import { withBatchLock } from '../batch/outputs.js';
import { type BatchSettings, imageKey, settingsKey } from '../batch/settings.js';
import {
  type EvidenceSettings,
  type EvidenceSource,
  type EvidenceSummary,
  trackedObjects,
  writeEvidence,
} from '../evidence/index.js';
import { type ClipRecord, readRecords, writeLists } from './clip-record.js';
import type { ClipSegmenter, TrackingKind } from './clip-segment.js';
import { overlayFrames, segmentClip } from './segment-clip.js';

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
  const { clips, settings, out, load, overwrite = false, onBad = 'skip', signal, onProgress, logger = silentLogger } = options;
  await requireKind(out, 'clips');
  const phrases = settings.prompts.flatMap((prompt) => PromptTokenizer.parsePrompt(prompt));
  const key = await settingsKey(settings);
  const records = await readRecords(out);
  const foreign = [...records.values()].filter(({ settings: own }) => own !== key);
  for (const { id } of foreign) records.delete(id);
  if (foreign.length > 0)
    logger.warn(`${foreign.length} clips in ${out} were done with other settings and leave results.json; their files stay`);
  await rm(join(out, overlayFrames), { recursive: true, force: true });
  await mkdir(join(out, overlayFrames), { recursive: true });
  await writeFileAtomic(join(out, batchFolderFile), `${JSON.stringify({ ...settings, key, clips: clips.length }, null, 2)}\n`);
  const bad: string[] = [];
  let [done, frames, skipped] = [0, 0, 0];
  let segmenter: ClipSegmenter | undefined;
  const mp4 = await hasFfmpeg();
  const { select, threshold, nmsThreshold, every } = settings;
  const selection = { select, threshold, nmsThreshold, every, signal };
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
      const { record, error } = await segmentClip(clip, {
        ...{ segmenter, phrases, selection, out, mp4, logger, key: own, settings: key },
        onFrame: (at, total) => onProgress?.(at, total, clip),
      });
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
    await rm(join(out, overlayFrames), { recursive: true, force: true });
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
