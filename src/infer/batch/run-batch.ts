import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeImage, drawOverlay, lettersLacking, maskToPng, type RasterImage, splitAddress } from '../../imaging/index.js';
import { PromptTokenizer } from '../../prompts/index.js';
import {
  concernsOneFile,
  DataError,
  type Logger,
  SonogroundError,
  shownName,
  silentLogger,
  UsageError,
  writeFileAtomic,
} from '../../util/index.js';
import type { GroundedSegmenter, LoadOptionsOrBoxes } from '../grounded-segmenter.js';
import type { Masker } from '../masker.js';
import type { BoxSegment, Segment } from '../segmenter.js';
import type { UniverSegPredictor } from '../universeg-predictor.js';
import { foundInImage } from './coco-result.js';
import { type BatchFolder, batchFolderFile } from './folder.js';
import { openSegmenter } from './image-segmenter.js';
import { Journal } from './journal.js';
import { maskFile, outputsOf, overlayFile, prepareOutputs, withBatchLock } from './outputs.js';
import { type BatchSettings, type ExemplarSettings, imageKey, settingsKey } from './settings.js';
import type { Shard } from './shard.js';

/** An image file and its name in the results. */
export interface BatchImage {
  readonly path: string;
  /** Names the overlay and the masks, and is the `name` in `images.json`; `/` separates folders. Unique per image. */
  readonly id: string;
  /** The id with the file's extension. */
  readonly fileName: string;
}

/** Options of a batch. */
export interface BatchOptions {
  readonly images: readonly BatchImage[];
  readonly settings: BatchSettings | ExemplarSettings;
  /** Output folder, for `results.json`, `images.json`, `overlays/` and `masks/`. */
  readonly out: string;
  /**
   * Loads the models that the settings name; only called when there is an image to segment. Default: {@link GroundedSegmenter.load}.
   */
  readonly load?: (models: LoadOptionsOrBoxes) => Promise<GroundedSegmenter<Masker | undefined>>;
  /** Loads the UniverSeg that the settings name and sets its support; for {@link ExemplarSettings}, which need it. */
  readonly loadExemplars?: (settings: ExemplarSettings) => Promise<UniverSegPredictor>;
  /** Which part of a longer list the images are; recorded so that the parts can be merged. */
  readonly shard?: Shard | undefined;
  /** Segment finished images again. Default: false. */
  readonly overwrite?: boolean;
  /** Whether to skip or stop at an image that cannot be read, or whose files cannot be written. Default: `skip`. */
  readonly onBad?: 'stop' | 'skip';
  /** Stops after the current image. */
  readonly signal?: AbortSignal;
  /** Called after each image. */
  readonly onProgress?: (done: number, total: number, image: BatchImage) => void;
  readonly logger?: Logger;
}

/** Result of a batch. */
export interface BatchSummary {
  /** Images segmented in this call and in earlier ones. */
  readonly done: number;
  readonly skipped: number;
  /** Segments in all images of `results.json`. */
  readonly found: number;
  /** One message per image that could not be read, or whose files could not be written. */
  readonly bad: readonly string[];
}

/**
 * Segments many images: an overlay and mask files for each, and for all of them `results.json` in COCO's results format with
 * `images.json`, the images that it refers to. Images already finished with the same settings and models are skipped. Calibrated
 * models also write `verdicts.json`: whether each image shows each structure. Reading the next image and writing the files of the
 * last one overlap with computing.
 *
 * @throws DataError for the first image that cannot be read, if `onBad` is `stop`; SonogroundError when the disk is full
 * (finished images are kept); InUseError when another process writes into the folder.
 */
export function runBatch(options: BatchOptions): Promise<BatchSummary> {
  return withBatchLock(options.out, () => run(options), options.logger);
}

async function run(options: BatchOptions): Promise<BatchSummary> {
  const { images, settings, out, overwrite = false, logger = silentLogger, shard } = options;
  const prompts = settings.prompts.map((prompt) => PromptTokenizer.parsePrompt(prompt));
  distinct(prompts.flat());
  const key = await settingsKey(settings);
  const journal = await Journal.open(out, key);
  await prepareOutputs(out);
  const todo = overwrite ? images : await unfinished(images, journal, key, out);
  for (const { id } of todo) await removeOutputs(out, id, journal.entry(id)?.masks ?? 0);
  journal.forget(todo.map(({ id }) => id));
  if (journal.foreign > 0)
    logger.warn(`${journal.foreign} images in ${out} were done with other settings and leave results.json; their files stay`);
  const lacking = lettersLacking(prompts.flat());
  if (todo.length > 0 && lacking.length > 0)
    logger.warn(
      `overlays spell ${shownName(lacking.slice(0, 20).join(' '))} as codes (U+…): their font has Latin, Greek and Cyrillic letters; results.json keeps the phrases as they are`,
    );
  await journal.start(prompts.flat());
  const about: BatchFolder = { ...settings, key, images: images.length, ...(shard && { shard }) };
  await writeFileAtomic(join(out, batchFolderFile), `${JSON.stringify(about, null, 2)}\n`);
  const { done, bad } = todo.length === 0 ? { done: 0, bad: [] } : await segmentImages(todo, prompts, journal, key, options);
  return { done, skipped: images.length - todo.length, found: journal.found, bad };
}

/** Segments the pending images one by one; the lists are updated even on failure. */
async function segmentImages(
  todo: readonly BatchImage[],
  prompts: readonly (readonly string[])[],
  journal: Journal,
  key: string,
  { settings, out, onBad = 'skip', signal, onProgress, ...loaders }: BatchOptions,
): Promise<{ readonly done: number; readonly bad: readonly string[] }> {
  const phrases = prompts.flat();
  const bad: string[] = [];
  let done = 0;
  const passOver = (error: unknown) => {
    if (onBad === 'stop' || !isOfOneImage(error)) throw error;
    bad.push(error.message);
  };
  const segmenter = await openSegmenter(settings, prompts, loaders);
  const writer = new Behind();
  try {
    let next = attempt(todo[0], key);
    for (const [i, image] of todo.entries()) {
      if (signal?.aborted) break;
      const read = await next;
      next = attempt(todo[i + 1], key);
      try {
        if (read.error !== undefined) throw read.error;
        const raster = read.raster as RasterImage;
        const { segments, verdicts } = await segmenter.segment(raster, image);
        await writer.run(async () => {
          try {
            await writeOutputs(out, image.id, raster, segments, phrases);
          } catch (error) {
            return passOver(error);
          }
          const masks = segments.filter(({ mask }) => mask !== undefined).length;
          const results = segments.map((segment) => foundInImage(segment, image, phrases));
          const { id, fileName } = image;
          const { width, height } = raster;
          await journal.record({ id, fileName, width, height, key: read.key ?? '', settings: key, masks, results, verdicts });
          done += 1;
        });
      } catch (error) {
        passOver(error);
      }
      onProgress?.(i + 1, todo.length, image);
    }
    await writer.settled();
    writer.check();
  } catch (error) {
    await writer.settled();
    // The first error is thrown, rather than the one about the lists.
    await journal.fold().catch(() => {});
    throw error;
  } finally {
    segmenter.dispose();
  }
  await journal.fold();
  return { done, bad };
}

/** Whether an error concerns one image only, so that the next one may still succeed. */
function isOfOneImage(error: unknown): error is SonogroundError {
  return error instanceof DataError || (error instanceof SonogroundError && concernsOneFile(error));
}

function distinct(phrases: readonly string[]): string[] {
  const twice = phrases.find((phrase, i) => phrases.indexOf(phrase) !== i);
  if (twice === undefined) return [...phrases];
  throw new UsageError({
    code: 'E_PROMPT_DUPLICATE',
    where: 'prompt',
    what: `"${twice}" is asked for twice`,
    fix: 'Name each thing once',
  });
}

async function unfinished(images: readonly BatchImage[], journal: Journal, key: string, out: string): Promise<BatchImage[]> {
  const todo: BatchImage[] = [];
  for (const image of images) {
    const entry = journal.entry(image.id);
    const same = entry !== undefined && entry.key === (await imageKey(image.path, key));
    if (!same || !(await allThere(out, image.id, entry.masks))) todo.push(image);
  }
  return todo;
}

async function allThere(out: string, id: string, masks: number): Promise<boolean> {
  const found = await Promise.all(outputsOf(out, id, masks).map((file) => stat(file).catch(() => undefined)));
  return found.every((info) => info?.isFile());
}

/** Ignores files that cannot be removed: they cannot be replaced either, which is reported when the image is written. */
async function removeOutputs(out: string, id: string, masks: number): Promise<void> {
  await Promise.all(outputsOf(out, id, masks).map((file) => rm(file, { force: true }).catch(() => {})));
}

/** Writes all of an image's files, or none. */
async function writeOutputs(
  out: string,
  id: string,
  image: RasterImage,
  segments: readonly (Segment | BoxSegment)[],
  phrases: readonly string[],
): Promise<void> {
  // Concurrently: the disk is the bottleneck.
  const writes = [
    ...segments.map(async ({ mask }, k) => mask && writeFileAtomic(maskFile(out, id, k), await maskToPng(mask))),
    drawOverlay(image, segments, phrases).then((overlay) => writeFileAtomic(overlayFile(out, id), overlay)),
  ];
  const failed = (await Promise.allSettled(writes)).find((write) => write.status === 'rejected');
  if (failed === undefined) return;
  await removeOutputs(out, id, segments.length);
  throw failed.reason;
}

interface Read {
  readonly raster?: RasterImage;
  /** Hash of the file, taken before it was read. */
  readonly key?: string | undefined;
  readonly error?: unknown;
}

/** Reads an image ahead of its turn; an error is thrown when its turn comes. */
async function attempt(image: BatchImage | undefined, settings: string): Promise<Read> {
  if (image === undefined) return {};
  try {
    const key = await imageKey(image.path, settings);
    await requireFile(image.path);
    return { key, raster: await decodeImage(image.path) };
  } catch (error) {
    return { error };
  }
}

/** A pipe or device may yield nothing, or never end. */
async function requireFile(path: string): Promise<void> {
  const info = await stat((await splitAddress(path)).file).catch(() => undefined);
  if (info !== undefined && !info.isFile())
    throw new DataError({
      code: 'E_FILE_KIND',
      where: path,
      what: 'it is not a file',
      fix: 'Name image files, or folders that hold them',
    });
}

/** Runs one task in the background. */
class Behind {
  private task: Promise<void> = Promise.resolve();
  private error: unknown;

  /** Waits for the previous task, rethrows its error, and starts the next one. */
  async run(body: () => Promise<void>): Promise<void> {
    await this.settled();
    this.check();
    this.task = body().catch((error: unknown) => {
      this.error = error;
    });
  }

  settled(): Promise<void> {
    return this.task;
  }

  check(): void {
    if (this.error !== undefined) throw this.error;
  }
}
