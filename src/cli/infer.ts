import { join } from 'node:path';
import type { CommandModule } from 'yargs';
import { initBackend } from '../backend/index.js';
import { batchFolders, GroundedSegmenter, parseShard, runBatch, type Selection, shardOf } from '../infer/index.js';
import { shippedModels } from '../pretrained/index.js';
import { respelt, splitPrompt } from '../prompts/index.js';
import { UsageError } from '../util/index.js';
import { consoleLogger } from './console-logger.js';
import { findImages } from './find-images.js';
import type { GlobalOptions } from './options.js';
import { startProgress } from './progress.js';
import { stopOnSignals } from './stop-on-signals.js';

interface InferOptions extends GlobalOptions {
  image: string[];
  prompt: string[];
  out: string;
  model: string;
  masker: string | undefined;
  adapter: string | undefined;
  maskerAdapter: string | undefined;
  adapterScale: number;
  threshold: number;
  nms: number;
  select: keyof typeof SELECTIONS;
  onBad: 'stop' | 'skip';
  overwrite: boolean;
  shard: string | undefined;
}

/** What the command line calls a selection. */
const SELECTIONS = {
  all: 'all',
  best: 'best-per-phrase',
  'best-per-phrase': 'best-per-phrase',
  'best-overall': 'best',
} as const satisfies Record<string, Selection>;

/** Stands for no masker. */
const NONE = 'none';

export const inferCommand: CommandModule<GlobalOptions, InferOptions> = {
  command: 'infer',
  describe: 'segment what a prompt names in files, folders or globs: boxes, masks, overlays',
  builder: (args) =>
    args
      .option('image', {
        type: 'string',
        array: true,
        demandOption: true,
        describe: 'image files, folders with all that is below them, or globs in quotes',
      })
      .option('prompt', {
        type: 'string',
        array: true,
        demandOption: true,
        describe: 'what to look for, separated by dots; given again, it is a question of its own',
      })
      .option('out', { type: 'string', demandOption: true, describe: 'folder for results.json, overlays/ and masks/' })
      .option('model', {
        type: 'string',
        default: shippedModels.detector,
        describe: 'folder of the detector, or an exported one',
      })
      .option('masker', {
        type: 'string',
        describe: `folder of the masker, or none for boxes alone; default: ${shippedModels.masker}, or the exported one`,
      })
      .option('adapter', { type: 'string', describe: 'folder of a LoRA adapter (a run: runs/NAME/best)' })
      .option('masker-adapter', { type: 'string', describe: 'folder of a LoRA adapter of the masker' })
      .option('adapter-scale', { type: 'number', default: 1, describe: 'how much of the adapters counts: 0 none, 1 all' })
      .option('threshold', { type: 'number', default: 0.3, describe: 'score from which a box counts, 0 to 1' })
      .option('nms', {
        type: 'number',
        default: 0.5,
        describe: 'overlap (IoU) above which the weaker of two boxes of a phrase goes',
      })
      .option('select', {
        choices: Object.keys(SELECTIONS) as (keyof typeof SELECTIONS)[],
        default: 'all' as const,
        describe: 'every box above the threshold, the best of each phrase (best), or the best of the image',
      })
      .option('on-bad', {
        choices: ['stop', 'skip'] as const,
        default: 'skip' as const,
        describe: 'what to do with an image that cannot be read',
      })
      .option('overwrite', {
        type: 'boolean',
        default: false,
        describe: 'do again what is done; otherwise a second call goes on where the first one stopped',
      })
      .option('shard', {
        type: 'string',
        describe: 'one part of the images, for many machines: 0/4 is the first of four; into OUT/shards/0-of-4, see merge',
      })
      .example(
        '$0 infer --image examples/fetal-head-1.jpg --prompt "fetal head" --out out',
        'an image that comes with sonoground',
      )
      .example('$0 infer --image scan.png --prompt "benign lesion. cyst." --out out', 'one image, two phrases')
      .example('$0 infer --image scans --prompt "thyroid nodule" --out out', 'a folder; the same again goes on after a stop')
      .example(`$0 infer --image 'scans/**/*_B.png' --prompt lesion --select best --out out`, 'a glob, one box of each phrase')
      .example('$0 infer --image scans --prompt lesion --masker none --out out', 'boxes alone')
      .example(
        '$0 infer --image scans --prompt lesion --model grounding-dino-tiny --masker sam2-hiera-tiny --adapter runs/us/best --out out',
        'downloaded models with an adapter',
      ) as never,
  handler: async ({
    image,
    prompt,
    out: whole,
    shard: part,
    model,
    masker,
    adapter,
    maskerAdapter,
    adapterScale,
    threshold,
    nms,
    select,
    onBad,
    overwrite,
    backend,
  }) => {
    if (prompt.some((text) => text.replace(/[.\s]/g, '') === ''))
      throw new UsageError({
        where: '--prompt',
        what: 'it names nothing',
        fix: 'Say what to look for, as in "benign lesion. cyst."',
      });
    for (const line of respelt(prompt.flatMap(splitPrompt))) consoleLogger.info(line);
    for (const [name, value] of Object.entries({ threshold, nms }))
      if (!(value >= 0 && value <= 1))
        throw new UsageError({ where: `--${name}`, what: `expected a number from 0 to 1, got ${value}` });
    if (!Number.isFinite(adapterScale))
      throw new UsageError({ where: '--adapter-scale', what: 'it is not a number', fix: 'Give a number such as 0.5' });
    const shard = part === undefined ? undefined : parseShard(part);
    const all = await findImages(image, { skip: batchFolders.map((folder) => join(whole, folder)), logger: consoleLogger });
    const images = shard === undefined ? all : shardOf(all, shard);
    const out = shard === undefined ? whole : join(whole, 'shards', `${shard.index}-of-${shard.count}`);
    const models = { detector: model, masker: masker === NONE ? null : masker, adapter, maskerAdapter, adapterScale };
    const progress = startProgress('images');
    const stop = stopOnSignals('finishing the image at hand');
    const begin = performance.now();
    const summary = await runBatch({
      images,
      settings: { prompts: prompt, ...models, select: SELECTIONS[select], scoreThreshold: threshold, nmsThreshold: nms },
      out,
      load: async (named) => {
        await initBackend(backend, consoleLogger);
        return GroundedSegmenter.load(named);
      },
      shard,
      overwrite,
      onBad,
      signal: stop.signal,
      onProgress: (done, total, { fileName }) => progress.update(done, total, `${perSecond(done, begin)}, ${fileName}`),
      logger: consoleLogger,
    }).finally(() => {
      progress.stop();
      stop.dispose();
    });
    const { done, skipped, found, bad } = summary;
    const before = skipped === 0 ? '' : `, ${skipped} were done before`;
    consoleLogger.info(
      `${done} images done, ${perSecond(done, begin)}${before}; ${found} found in all: ${join(out, 'results.json')}, ${join(out, 'overlays')}`,
    );
    for (const message of bad) consoleLogger.warn(message);
    if (bad.length > 0)
      consoleLogger.warn(`${bad.length} of ${images.length} images could not be read, or their results not written`);
    if (stop.signal.aborted) {
      consoleLogger.warn('stopped before the end; the same command goes on from here');
      process.exitCode = stop.exitCode();
    } else if (bad.length > 0) process.exitCode = 1;
  },
};

function perSecond(done: number, begin: number): string {
  const rate = (1000 * done) / Math.max(1, performance.now() - begin);
  return `${rate.toFixed(rate < 10 ? 2 : 0)} images/s`;
}
