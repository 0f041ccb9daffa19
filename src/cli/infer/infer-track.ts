import { join } from 'node:path';
import { initBackend } from '../../backend/index.js';
import {
  type BatchOptions,
  type BatchSettings,
  batchFolders,
  DetectionTracker,
  maskerWithMemory,
  modelsIn,
  type ResultsForm,
  runClips,
  TrackedSegmenter,
} from '../../infer/index.js';
import { counted, UsageError } from '../../util/index.js';
import { consoleLogger } from '../console-logger.js';
import { findClips } from '../images/find-clips.js';
import type { GlobalOptions } from '../options.js';
import { type Progress, startProgress } from '../progress.js';
import { stopOnSignals } from '../stop-on-signals.js';
import { type DicomOptions, evidenceOf, reportEvidence } from './dicom-options.js';

/** The options of `infer` that clips take. */
export interface TrackOptions {
  track: boolean;
  every: number | undefined;
}

/** The same as yargs describes them. */
export const trackOptions = {
  track: {
    type: 'boolean',
    default: false,
    describe:
      'follow what is found through clips: DICOM or TIFF files of several frames, animated WebP or GIF, folders of numbered frames, videos where ffmpeg is installed',
  },
  every: { type: 'number', describe: 'with --track: look again on every n-th frame; default: only for what is not in sight' },
} as const;

/** The other options that clips need. */
interface ClipArguments extends TrackOptions, DicomOptions, GlobalOptions {
  readonly image: readonly string[] | undefined;
  readonly list: readonly string[] | undefined;
  readonly results: ResultsForm;
  readonly mmPerPixel: string | undefined;
  readonly calibration: string | undefined;
  readonly volume: readonly string[] | undefined;
  readonly spread: boolean | undefined;
  readonly wordings: string | undefined;
  readonly out: string;
  readonly onBad: 'stop' | 'skip';
  readonly overwrite: boolean;
  readonly exemplars: string | undefined;
  readonly shard: string | undefined;
  readonly masker: string | undefined;
}

/** Settings of a batch by prompts, and the loader of its models. */
type Batch = Pick<BatchOptions, 'load'> & { readonly settings: BatchOptions['settings'] };

/** Runs `infer --track`. @returns whether a signal has interrupted it. */
export async function trackClips(
  options: ClipArguments,
  batchOf: () => Promise<Batch>,
): Promise<{ readonly interrupted: boolean }> {
  refuseOthers(options);
  const { image = [], out, onBad, overwrite, every } = options;
  const own = [...batchFolders, '.frames', 'clips'].map((folder) => join(out, folder));
  const clips = await findClips(image, { skip: own, logger: consoleLogger });
  const { settings, load } = await batchOf();
  if (load === undefined || 'universeg' in settings) throw new RangeError('trackClips: it is for prompts');
  const models: BatchSettings = settings;
  // A method of the comparison has none.
  const memory = models.method === undefined ? await maskerWithMemory(models) : undefined;
  consoleLogger.info(
    memory === undefined
      ? 'tracking by detection: the masker has no memory, so each frame is segmented on its own and objects keep their identity by overlap; weights with a memory: sam2.1-hiera-tiny and its kind, with --masker'
      : `tracking by the memory of ${memory}`,
  );
  const evidence = await evidenceOf(options, out, models.prompts);
  const stop = stopOnSignals('finishing the current frame');
  const progress = progressOfClips();
  const begin = performance.now();
  const summary = await runClips({
    clips,
    settings: { ...models, tracking: memory === undefined ? 'detection' : 'memory', every },
    out,
    evidence,
    load: async () =>
      memory === undefined ? new DetectionTracker(await maskedBy(load, models)) : withMemory(models, options.backend),
    overwrite,
    onBad,
    signal: stop.signal,
    onProgress: progress.update,
    logger: consoleLogger,
  }).finally(() => {
    progress.stop();
    stop.dispose();
  });
  const { done, frames, skipped, tracks, bad } = summary;
  const rate = (1000 * frames) / Math.max(1, performance.now() - begin);
  const before = skipped === 0 ? '' : `, ${counted(skipped, 'clip')} done before`;
  consoleLogger.info(
    `${counted(done, 'clip')} done, ${counted(frames, 'frame')}, ${rate.toFixed(rate < 10 ? 2 : 0)} frames/s${before}; ${counted(tracks, 'object')} followed in total: ${join(out, 'tracks.csv')}, ${join(out, 'overlays')}`,
  );
  reportEvidence(summary.evidence, out, options.keepIdentity);
  for (const message of bad) consoleLogger.warn(message);
  if (bad.length > 0)
    consoleLogger.warn(`${bad.length} of ${clips.length} clips could not be read to their end; what was done stays`);
  if (stop.signal.aborted) {
    consoleLogger.warn('interrupted; the same command begins unfinished clips again, and skips finished ones');
    process.exitCode = stop.exitCode();
  } else if (bad.length + (summary.evidence?.bad.length ?? 0) > 0) process.exitCode = 1;
  return { interrupted: stop.signal.aborted };
}

/** @throws UsageError for an option that images do not take. */
export function refuseWithoutClips({ every }: TrackOptions): void {
  if (every === undefined) return;
  throw new UsageError({
    code: 'E_OPTION_CONFLICT',
    where: '--every',
    what: 'it is for clips',
    fix: 'Give --track, or leave it out',
  });
}

/** @throws UsageError for options that clips do not take. */
function refuseOthers({ masker, every, image, ...options }: ClipArguments): void {
  const { exemplars, shard, list, calibration, volume, wordings } = options;
  const others = {
    exemplars,
    shard,
    list,
    calibration,
    volume,
    wordings,
    'mm-per-pixel': options.mmPerPixel,
    spread: options.spread || undefined,
    results: options.results === 'files' ? undefined : options.results,
  };
  const [other] = Object.entries(others).find(([, value]) => value !== undefined) ?? [];
  if (other !== undefined)
    throw new UsageError({
      code: 'E_OPTION_CONFLICT',
      where: `--${other}`,
      what: 'clips do not take it',
      fix: 'Leave it out, or --track',
    });
  if (image === undefined || image.length === 0)
    throw new UsageError({
      code: 'E_OPTION_MISSING',
      where: '--image',
      what: 'no clip is named',
      fix: 'Name clips, or folders of them',
    });
  if (masker === 'none')
    throw new UsageError({
      code: 'E_OPTION_CONFLICT',
      where: '--masker',
      what: 'what is followed in a clip is a mask',
      fix: 'Leave it out, or name a masker',
    });
  if (every !== undefined && !(Number.isInteger(every) && every > 0))
    throw new UsageError({ code: 'E_OPTION_VALUE', where: '--every', what: `expected a number of frames from 1, got ${every}` });
}

async function withMemory(settings: BatchSettings, backend: GlobalOptions['backend']): Promise<TrackedSegmenter> {
  if (settings.precision !== undefined)
    throw new UsageError({
      code: 'E_OPTION_CONFLICT',
      where: '--precision',
      what: 'a tracker with a memory runs in float32',
      fix: 'Leave it out',
    });
  await initBackend(backend, consoleLogger);
  const { masker, ...models } = modelsIn(settings);
  return TrackedSegmenter.load({ ...models, masker: masker ?? undefined });
}

async function maskedBy(load: NonNullable<Batch['load']>, settings: BatchSettings) {
  const segmenter = await load(modelsIn(settings));
  if (segmenter.masker === undefined) throw new RangeError('trackClips: there is no masker');
  return segmenter as ConstructorParameters<typeof DetectionTracker>[0];
}

/** A bar for each clip, in frames. */
function progressOfClips() {
  let current: { readonly id: string; readonly bar: Progress; readonly begin: number } | undefined;
  return {
    update: (done: number, total: number, { id, fileName }: { readonly id: string; readonly fileName: string }) => {
      if (current?.id !== id) {
        current?.bar.stop();
        current = { id, bar: startProgress('frames'), begin: performance.now() };
      }
      const rate = (1000 * done) / Math.max(1, performance.now() - current.begin);
      current.bar.update(done, total, `${rate.toFixed(rate < 10 ? 2 : 0)} frames/s, ${fileName}`);
    },
    stop: () => current?.bar.stop(),
  };
}
