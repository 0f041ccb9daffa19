import { join } from 'node:path';
import type { CommandModule } from 'yargs';
import { initBackend } from '../backend/index.js';
import { batchFolders, GroundedSegmenter, parseShard, runBatch, shardOf } from '../infer/index.js';
import { methodNames, segmenterWith } from '../methods/index.js';
import { shippedModels } from '../pretrained/index.js';
import { type Selection, selections } from '../processing/index.js';
import { respelt, splitPrompt } from '../prompts/index.js';
import { UsageError } from '../util/index.js';
import { consoleLogger } from './console-logger.js';
import { findImages } from './find-images.js';
import { maskingMethod } from './masking-method.js';
import { namedModels } from './named-models.js';
import type { GlobalOptions } from './options.js';
import { startProgress } from './progress.js';
import { stopOnSignals } from './stop-on-signals.js';

interface InferOptions extends GlobalOptions {
  image: string[];
  prompt: string[];
  out: string;
  detector: string;
  masker: string | undefined;
  adapter: string | undefined;
  maskerAdapter: string | undefined;
  adapterScale: number;
  method: string | undefined;
  weights: string | undefined;
  threshold: number;
  nms: number;
  select: Selection;
  onBad: 'stop' | 'skip';
  overwrite: boolean;
  shard: string | undefined;
}

/** Selections by the names that they had. */
const FORMER_SELECTIONS: Readonly<Record<string, Selection>> = { best: 'best-per-phrase', 'best-overall': 'best-per-image' };

export const inferCommand: CommandModule<GlobalOptions, InferOptions> = {
  command: 'infer',
  describe: 'find and segment what a prompt names in files, folders or globs: boxes, masks, overlays',
  builder: (args) =>
    args
      .option('image', {
        type: 'string',
        array: true,
        demandOption: true,
        describe: 'image files, folders (searched recursively), or globs in quotes',
      })
      .option('prompt', {
        type: 'string',
        array: true,
        demandOption: true,
        describe: 'phrases to look for, separated by dots; each further --prompt is run separately',
      })
      .option('out', {
        type: 'string',
        demandOption: true,
        describe: 'folder for results.json and images.json (COCO), overlays/ and masks/',
      })
      .option('detector', {
        alias: 'model',
        type: 'string',
        default: shippedModels.detector,
        describe: 'folder of the detector, a run, an adapter or an export; or a downloaded model',
      })
      .option('masker', {
        type: 'string',
        describe: `folder of the masker, or none for boxes only; default: ${shippedModels.masker}, or that of the export`,
      })
      .option('adapter', { type: 'string', describe: 'folder of a LoRA adapter (a run: runs/NAME/best)' })
      .option('masker-adapter', { type: 'string', describe: 'folder of a LoRA adapter of the masker' })
      .option('adapter-scale', { type: 'number', default: 1, describe: 'strength of the adapters: 0 off, 1 as trained' })
      .option('method', {
        type: 'string',
        describe: `a method of the comparison in place of the masker, given the detector's boxes: ${methodNames.join(', ')}`,
      })
      .option('weights', { type: 'string', describe: 'weights of the method: a folder, a file or a downloaded model' })
      .option('threshold', { type: 'number', default: 0.3, describe: 'lowest score at which a box counts, 0 to 1' })
      .option('nms', {
        type: 'number',
        default: 0.5,
        describe: 'overlap (IoU) above which the lower-scoring of two boxes of a phrase is dropped',
      })
      .option('select', {
        choices: selections,
        default: 'all' as const,
        describe: 'all boxes from the threshold on, the best of each phrase, or the best of the image',
      })
      // Before the choices are checked, whose message names all of them. An error from `coerce` would lose its class.
      .middleware(({ select }) => refuseFormer(select), true)
      .option('on-bad', {
        choices: ['stop', 'skip'] as const,
        default: 'skip' as const,
        describe: 'what to do with an image that cannot be read',
      })
      .option('overwrite', {
        type: 'boolean',
        default: false,
        describe: 'process all images again; otherwise the same command resumes',
      })
      .option('shard', {
        type: 'string',
        describe:
          'process one shard of the images, for several machines: 0/4 is the first of four; writes OUT/shards/0-of-4, see merge',
      })
      .example('$0 infer --image examples/fetal-head-1.jpg --prompt "fetal head" --out out', 'an image shipped with sonoground')
      .example('$0 infer --image scan.png --prompt "benign lesion. cyst." --out out', 'one image, two phrases')
      .example(
        '$0 infer --image scans --prompt "thyroid nodule" --out out',
        'a folder; the same command resumes after an interruption',
      )
      .example(
        `$0 infer --image 'scans/**/*_B.png' --prompt lesion --select best-per-phrase --out out`,
        'a glob, one box per phrase',
      )
      .example('$0 infer --image scans --prompt "liver tumor" --detector runs/liver --out out', 'your own fine-tuned model')
      .example('$0 infer --image scans --prompt lesion --masker none --out out', 'boxes only')
      .example(
        '$0 infer --image scans --prompt lesion --method medsam --weights medsam_vit_b.pth --out out',
        'MedSAM for the masks',
      )
      .example(
        '$0 infer --image scans --prompt lesion --detector grounding-dino-tiny --masker sam2-hiera-tiny --adapter runs/us/best --out out',
        'downloaded models with an adapter',
      ) as never,
  handler: async ({
    image,
    prompt,
    out: whole,
    shard: part,
    detector,
    masker,
    adapter,
    maskerAdapter,
    adapterScale,
    method: methodName,
    weights,
    threshold,
    nms,
    select,
    onBad,
    overwrite,
    backend,
  }) => {
    if (prompt.some((text) => text.replace(/[.\s]/g, '') === ''))
      throw new UsageError({
        code: 'E_PROMPT_TEXT',
        where: '--prompt',
        what: 'it names nothing',
        fix: 'Say what to look for, as in "benign lesion. cyst."',
      });
    for (const line of respelt(prompt.flatMap(splitPrompt))) consoleLogger.info(line);
    for (const [name, value] of Object.entries({ threshold, nms }))
      if (!(value >= 0 && value <= 1))
        throw new UsageError({ code: 'E_OPTION_VALUE', where: `--${name}`, what: `expected a number from 0 to 1, got ${value}` });
    const shard = part === undefined ? undefined : parseShard(part);
    const all = await findImages(image, { skip: batchFolders.map((folder) => join(whole, folder)), logger: consoleLogger });
    const images = shard === undefined ? all : shardOf(all, shard);
    const out = shard === undefined ? whole : join(whole, 'shards', `${shard.index}-of-${shard.count}`);
    const method = maskingMethod({ name: methodName, weights, masker, maskerAdapter });
    const models = await namedModels({ detector, masker: method?.weights ?? masker, adapter, maskerAdapter, adapterScale });
    const progress = startProgress('images');
    const stop = stopOnSignals('finishing the current image');
    const begin = performance.now();
    const summary = await runBatch({
      images,
      settings: {
        prompts: prompt,
        ...models,
        ...(method && { method: method.entry.name }),
        select,
        threshold,
        nmsThreshold: nms,
      },
      out,
      load: async (named) => {
        await initBackend(backend, consoleLogger);
        return method === undefined ? GroundedSegmenter.load(named) : segmenterWith(method.entry, { ...method, detector: named });
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
    const before = skipped === 0 ? '' : `, ${skipped} done before`;
    consoleLogger.info(
      `${done} images done, ${perSecond(done, begin)}${before}; ${found} objects found in total: ${join(out, 'results.json')}, ${join(out, 'overlays')}`,
    );
    for (const message of bad) consoleLogger.warn(message);
    if (bad.length > 0)
      consoleLogger.warn(`${bad.length} of ${images.length} images failed: they could not be read, or their results not written`);
    if (stop.signal.aborted) {
      consoleLogger.warn('interrupted; the same command resumes');
      process.exitCode = stop.exitCode();
    } else if (bad.length > 0) process.exitCode = 1;
  },
};

/** @throws UsageError naming what a selection is called now. */
function refuseFormer(select: unknown): void {
  const now = Object.hasOwn(FORMER_SELECTIONS, String(select)) ? FORMER_SELECTIONS[String(select)] : undefined;
  if (now === undefined) return;
  throw new UsageError({
    code: 'E_OPTION_VALUE',
    where: `--select ${select}`,
    what: `it is called ${now} now`,
    fix: `Say --select ${now}`,
  });
}

function perSecond(done: number, begin: number): string {
  const rate = (1000 * done) / Math.max(1, performance.now() - begin);
  return `${rate.toFixed(rate < 10 ? 2 : 0)} images/s`;
}
