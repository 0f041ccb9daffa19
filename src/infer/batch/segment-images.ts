import { calibrated, type RasterImage } from '../../imaging/index.js';
import type { PixelSizes } from '../../measure/index.js';
import { concernsOneFile, DataError, SonogroundError } from '../../util/index.js';
import type { BatchImage } from './batch-image.js';
import type { BatchOptions } from './batch-options.js';
import { Behind } from './behind.js';
import { foundInImage } from './coco-result.js';
import { openSegmenter } from './image-segmenter.js';
import type { Journal } from './journal.js';
import { measuredSegment } from './measured-segment.js';
import { type OpenedImage, type OpenedImages, openImage } from './open-image.js';
import { type BatchTimes, Stopwatch } from './times.js';
import { writeOutputs } from './write-outputs.js';

interface Segmented {
  readonly done: number;
  readonly bad: readonly string[];
  readonly times: BatchTimes;
}

/**
 * Segments the pending images one by one; the lists are updated even on failure.
 *
 * @param todo - images, of which the journal may hold some parts.
 * @param key - hash of the settings.
 */
export async function segmentImages(
  todo: readonly BatchImage[],
  prompts: readonly (readonly string[])[],
  journal: Journal,
  key: string,
  { settings, out, onBad = 'skip', results = 'files', signal, onProgress, pixelSizes, ...loaders }: BatchOptions,
): Promise<Segmented> {
  const phrases = prompts.flat();
  const bad: string[] = [];
  let done = 0;
  const watch = new Stopwatch();
  if (todo.length === 0) return { done, bad, times: watch.times(done) };
  const passOver = (error: unknown) => {
    if (onBad === 'stop' || !isOfOneImage(error)) throw error;
    bad.push(error.message);
  };
  const ids = new Set(todo.map(({ id }) => id));
  const reading = new AbortController();
  const open = (image: BatchImage | undefined) =>
    watch.time('read', () => attempt(image, key, { signal: reading.signal, isTaken: (id) => ids.has(id) }));
  const segmenter = await openSegmenter(settings, prompts, loaders);
  const writer = new Behind();
  const segmentOne = async (image: OpenedImage, imageKey: string) => {
    const raster = calibratedBy(pixelSizes, await image.raster(), image);
    const { segments, verdicts, variants } = await watch.time('compute', () => segmenter.segment(raster, image));
    const measured = segments.map((segment) => measuredSegment(segment, raster.calibration, variants));
    await writer.run(() =>
      watch.time('write', async () => {
        const written = results === 'files' ? measured : [];
        try {
          if (results === 'files') await writeOutputs(out, image.id, raster, written, phrases);
        } catch (error) {
          return passOver(error);
        }
        const masks = written.filter(({ segment }) => segment.mask !== undefined).length;
        const found = measured.map(({ segment, fields }) => foundInImage(segment, image, phrases, fields));
        const { id, fileName, of } = image;
        const { width, height } = raster;
        await journal.record({
          id,
          fileName,
          ...(of && { of }),
          width,
          height,
          key: imageKey,
          settings: key,
          masks,
          results: found,
          verdicts,
        });
        done += 1;
      }),
    );
  };
  watch.start();
  try {
    let next = open(todo[0]);
    for (const [i, image] of todo.entries()) {
      if (signal?.aborted) break;
      const read = await next;
      next = open(todo[i + 1]);
      try {
        if (read instanceof Failed) throw read.cause;
        for (const part of read?.images ?? []) {
          if (part.of !== undefined && (signal?.aborted || journal.entry(part.id) !== undefined)) continue;
          try {
            await segmentOne(part, read?.key ?? '');
          } catch (error) {
            passOver(error);
          }
        }
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
    reading.abort();
    segmenter.dispose();
  }
  await watch.time('write', () => journal.fold());
  return { done, bad, times: watch.times(done) };
}

/** The image with the given size of its pixels, where its file does not state one. */
function calibratedBy(sizes: PixelSizes | undefined, raster: RasterImage, { fileName }: OpenedImage): RasterImage {
  if (sizes === undefined) return raster;
  return calibrated(raster, sizes.calibrate(raster.calibration, fileName, raster.width));
}

/** An error that is thrown when the turn of its image comes. */
class Failed {
  constructor(readonly cause: unknown) {}
}

/** Opens an image ahead of its turn. */
async function attempt(
  image: BatchImage | undefined,
  settings: string,
  options: Parameters<typeof openImage>[2],
): Promise<OpenedImages | Failed | undefined> {
  if (image === undefined) return undefined;
  try {
    return await openImage(image, settings, options);
  } catch (error) {
    return new Failed(error);
  }
}

/** Whether an error concerns one image only, so that the next one may still succeed. */
function isOfOneImage(error: unknown): error is SonogroundError {
  return error instanceof DataError || (error instanceof SonogroundError && concernsOneFile(error));
}
