import { mkdir } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import type { CommandModule } from 'yargs';
import { initBackend } from '../backend/index.js';
import { GroundedSegmenter, type Segment } from '../infer/index.js';
import { decodeImage, drawOverlay, encodeRle, maskArea, maskToPng } from '../processing/index.js';
import { SonogroundError, UsageError, writeFileAtomic } from '../util/index.js';
import { consoleLogger } from './console-logger.js';
import { findImages } from './find-images.js';
import type { GlobalOptions } from './options.js';
import { startProgress } from './progress.js';

interface InferOptions extends GlobalOptions {
  image: string[];
  prompt: string;
  out: string;
  model: string;
  masker: string | undefined;
  adapter: string | undefined;
  threshold: number;
  select: 'all' | 'best';
  onBad: 'stop' | 'skip';
}

export const inferCommand: CommandModule<GlobalOptions, InferOptions> = {
  command: 'infer',
  describe: 'find what a sentence names, with boxes, masks and overlays',
  builder: (args) =>
    args
      .option('image', { type: 'string', array: true, demandOption: true, describe: 'image files, folders or globs' })
      .option('prompt', { type: 'string', demandOption: true, describe: 'what to look for, separated by dots' })
      .option('out', { type: 'string', demandOption: true, describe: 'folder for results.json, overlays/ and masks/' })
      .option('model', {
        type: 'string',
        default: 'weights/nano-grounding-dino',
        describe: 'folder of the detector, or an exported one',
      })
      .option('masker', { type: 'string', describe: 'folder of the masker; default: weights/nano-sam2, or the exported one' })
      .option('adapter', { type: 'string', describe: 'folder of a LoRA adapter (a run: runs/NAME/best)' })
      .option('threshold', { type: 'number', default: 0.3, describe: 'score from which a box counts, 0 to 1' })
      .option('select', {
        choices: ['all', 'best'] as const,
        default: 'all' as const,
        describe: 'every box above the threshold, or the best of each phrase',
      })
      .option('on-bad', {
        choices: ['stop', 'skip'] as const,
        default: 'skip' as const,
        describe: 'what to do with an image that cannot be read',
      })
      .example('$0 infer --image scan.png --prompt "benign lesion. cyst." --out out', 'one image, two phrases') as never,
  handler: async ({ image, prompt, out, model, masker, adapter, threshold, select, onBad, backend }) => {
    if (prompt.replace(/[.\s]/g, '') === '')
      throw new UsageError({
        where: '--prompt',
        what: 'it names nothing',
        fix: 'Say what to look for, as in "benign lesion. cyst."',
      });
    const files = await findImages(image);
    await initBackend(backend, consoleLogger);
    const segmenter = await GroundedSegmenter.load({ detector: model, masker, adapter });
    await Promise.all(['overlays', 'masks'].map((folder) => mkdir(join(out, folder), { recursive: true })));
    const progress = startProgress('images');
    const results: CocoResult[] = [];
    const bad: string[] = [];
    try {
      for (const [i, file] of files.entries()) {
        try {
          results.push(...(await segmentFile(segmenter, file, prompt, { boxThreshold: threshold, perPhrase: select }, out)));
        } catch (error) {
          if (onBad === 'stop' || !(error instanceof SonogroundError)) throw error;
          bad.push(error.message);
        }
        progress.update(i + 1, files.length, basename(file));
      }
    } finally {
      progress.stop();
      segmenter.dispose();
    }
    await writeFileAtomic(join(out, 'results.json'), `${JSON.stringify(results, null, 2)}\n`);
    consoleLogger.info(
      `${results.length} found in ${files.length - bad.length} images: ${join(out, 'results.json')}, ${join(out, 'overlays')}`,
    );
    for (const message of bad) consoleLogger.warn(message);
    if (bad.length > 0) process.exitCode = 1;
  },
};

/** One entry of COCO's results format, with the phrase in place of a category number. */
interface CocoResult {
  readonly image_id: string;
  readonly file_name: string;
  readonly category: string;
  /** Left, top, width, height in pixels. */
  readonly bbox: readonly [number, number, number, number];
  readonly score: number;
  readonly mask_score: number;
  readonly area: number;
  readonly segmentation: { readonly size: readonly [number, number]; readonly counts: string };
}

/** Segments one file and writes its overlay and masks. */
async function segmentFile(
  segmenter: GroundedSegmenter,
  file: string,
  prompt: string,
  select: Parameters<GroundedSegmenter['segment']>[2],
  out: string,
): Promise<CocoResult[]> {
  const image = await decodeImage(file);
  const segments = await segmenter.segment(image, prompt, select);
  const stem = basename(file, extname(file));
  const overlay = await drawOverlay(
    image,
    segments.map(({ phrase, ...rest }) => ({ label: phrase, ...rest })),
  );
  await writeFileAtomic(join(out, 'overlays', `${stem}.png`), overlay);
  for (const [k, { mask }] of segments.entries())
    await writeFileAtomic(join(out, 'masks', `${stem}_${k}.png`), await maskToPng(mask));
  return segments.map((segment) => cocoResult(segment, stem, basename(file)));
}

function cocoResult(
  { phrase, score, boxXyxyPx: [x0, y0, x1, y1], mask, maskScore }: Segment,
  stem: string,
  fileName: string,
): CocoResult {
  return {
    image_id: stem,
    file_name: fileName,
    category: phrase,
    bbox: [x0, y0, x1 - x0, y1 - y0],
    score,
    mask_score: maskScore,
    area: maskArea(mask),
    segmentation: { size: [mask.height, mask.width], counts: encodeRle(mask) },
  };
}
