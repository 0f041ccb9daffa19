import { join } from 'node:path';
import type { CommandModule } from 'yargs';
import { initBackend, type Precision } from '../backend/index.js';
import {
  type BatchOptions,
  GroundedSegmenter,
  listHash,
  parseShard,
  type ResultsForm,
  resultsForms,
  runBatch,
  shardOf,
} from '../infer/index.js';
import { createMethod, methodNames, segmenterWith, weightParts } from '../methods/index.js';
import { shippedModels } from '../pretrained/index.js';
import { type Selection, selections } from '../processing/index.js';
import { respelt, splitPrompt } from '../prompts/index.js';
import { UsageError } from '../util/index.js';
import { consoleLogger } from './console-logger.js';
import { gatherImages, type ImageOptions } from './gather-images.js';
import { batchByExemplars, type ExemplarOptions, exemplarOptions } from './infer-exemplars.js';
import { refuseWithoutClips, type TrackOptions, trackClips, trackOptions } from './infer-track.js';
import { findsByText, maskingMethod, refuseDetectorOptions, type TextMethod } from './masking-method.js';
import { namedModels } from './named-models.js';
import { type GlobalOptions, precisionOption } from './options.js';
import { givenPixelSizes, type PixelSizeOptions, pixelSizeOptions } from './pixel-size-options.js';
import { startProgress } from './progress.js';
import { type SpreadOptions, spreadOf, spreadOptions } from './spread-options.js';
import { stopOnSignals } from './stop-on-signals.js';
import { timesLine } from './times-line.js';
import { planesOf, reportVolumes, volumeOption } from './volume-option.js';

interface InferOptions
  extends GlobalOptions,
    TrackOptions,
    PixelSizeOptions,
    SpreadOptions,
    Omit<ExemplarOptions, 'exemplars'>,
    ImageOptions {
  prompt: string[] | undefined;
  exemplars: string | undefined;
  out: string;
  results: ResultsForm;
  masker: string | undefined;
  adapter: string | undefined;
  maskerAdapter: string | undefined;
  adapterScale: number | undefined;
  precision: Precision | undefined;
  method: string | undefined;
  weights: string | undefined;
  threshold: number | undefined;
  nms: number | undefined;
  select: Selection | undefined;
  onBad: 'stop' | 'skip';
  overwrite: boolean;
  shard: string | undefined;
  volume: string[] | undefined;
}

/** Selections by the names that they had. */
const FORMER_SELECTIONS: Readonly<Record<string, Selection>> = { best: 'best-per-phrase', 'best-overall': 'best-per-image' };

export const inferCommand: CommandModule<GlobalOptions, InferOptions> = {
  command: 'infer',
  describe: 'find and segment what a prompt names or exemplars show in files, folders or globs: boxes, masks, overlays',
  builder: (args) =>
    args
      .option('image', {
        type: 'string',
        array: true,
        describe: 'image files, folders (searched recursively), globs in quotes, or s3://bucket/folder/',
      })
      .option('list', {
        type: 'string',
        array: true,
        describe: 'lists of images: one file or s3://bucket/key a line, a table (.csv, .tsv), or - for standard input',
      })
      .option('column', {
        type: 'string',
        describe: 'column of the table with the images; default: the one called image, path, file_name or similar',
      })
      .option('prompt', {
        type: 'string',
        array: true,
        describe: 'phrases to look for, separated by dots; each further --prompt is run separately',
      })
      .options(exemplarOptions)
      .options(trackOptions)
      .option('out', {
        type: 'string',
        demandOption: true,
        describe: 'folder for results.json and images.json (COCO), overlays/ and masks/',
      })
      .option('results', {
        choices: resultsForms,
        default: 'files' as const,
        describe: 'files, or parquet: tables of all objects and images in place of JSON, overlays and masks',
      })
      .option('detector', {
        alias: 'model',
        type: 'string',
        describe: `folder of the detector, a run, an adapter or an export; or a downloaded model; for exemplars a UniverSeg; default: ${shippedModels.detector}`,
      })
      .option('masker', {
        type: 'string',
        describe: `folder of the masker, or none for boxes only; default: ${shippedModels.masker}, or that of the export`,
      })
      .option('adapter', { type: 'string', describe: 'folder of a LoRA adapter (a run: runs/NAME/best)' })
      .option('masker-adapter', { type: 'string', describe: 'folder of a LoRA adapter of the masker' })
      .option('adapter-scale', {
        type: 'number',
        describe: 'strength of the adapters: 0 off, 1 as trained; default: 1',
      })
      .option('precision', precisionOption)
      .option('method', {
        type: 'string',
        describe: `a method of the comparison: in place of the masker, given the detector's boxes or their centres, or of both, given the prompt: ${methodNames.join(', ')}`,
      })
      .option('weights', {
        type: 'string',
        describe: 'weights of the method: a folder, a file or a downloaded model; of several models, separated by commas',
      })
      .option('threshold', { type: 'number', describe: 'lowest score at which a box counts, 0 to 1; default: 0.3' })
      .option('nms', {
        type: 'number',
        describe: 'overlap (IoU) above which the lower-scoring of two boxes of a phrase is dropped; default: 0.5',
      })
      .option('select', {
        choices: selections,
        describe: 'all boxes from the threshold on, the best of each phrase, or the best of the image; default: all',
      })
      // Before the choices are checked, whose message names all of them. An error from `coerce` would lose its class.
      .middleware(({ select }) => refuseFormer(select), true)
      .options(pixelSizeOptions)
      .option('volume', volumeOption)
      .options(spreadOptions)
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
      .example(
        '$0 infer --image s3://archive/2026/ --prompt lesion --shard 0/8 --results parquet --out out',
        'an eighth of what a store holds, into tables',
      )
      .example('$0 infer --image scans --prompt "liver tumor" --detector runs/liver --out out', 'your own fine-tuned model')
      .example(
        '$0 infer --image scans --exemplars outlined --label nerve --model universeg --draws 5 --support 16 --out out',
        'no prompt: what looks like the outlined images, averaged over five draws of sixteen',
      )
      .example(
        '$0 infer --image scans --prompt "breast tumor" --method medclip-samv2 --weights biomedclip,sam-vit-huge --out out',
        'MedCLIP-SAMv2, which finds by itself what the prompt says',
      )
      .example(
        '$0 infer --image scans --prompt "thyroid nodule" --mm-per-pixel 0.08 --out out',
        'measures in millimetres for images whose files do not say how large a pixel is',
      )
      .example('$0 infer --image loops --prompt "benign lesion" --track --out out', 'clips: what is found is followed')
      .example('$0 infer --image scans --prompt lesion --masker none --out out', 'boxes only')
      .example(
        '$0 infer --image scans --prompt lesion --method medsam --weights medsam_vit_b.pth --out out',
        'MedSAM for the masks',
      )
      .example(
        '$0 infer --image scans --prompt lesion --detector grounding-dino-tiny --masker sam2-hiera-tiny --adapter runs/us/best --out out',
        'downloaded models with an adapter',
      ) as never,
  handler: async (options) => {
    const { out: whole, shard: part, results, onBad, overwrite } = options;
    requireFolder(whole);
    if (options.exemplars === undefined) checkPromptOptions(options);
    if (options.track) return trackClips(options, () => batchByPrompts(options));
    refuseWithoutClips(options);
    const pixelSizes = await givenPixelSizes(options);
    const byExemplars = options.exemplars === undefined ? undefined : await openExemplars(options, options.exemplars);
    const shard = part === undefined ? undefined : parseShard(part);
    const { images: all, stored, store } = await gatherImages(options, { out: whole, logger: consoleLogger });
    if (stored && results === 'files') consoleLogger.info('overlays show the images; --results parquet writes none');
    const images = shard === undefined ? all : shardOf(all, shard);
    const planes = options.volume && (await planesOf(options.volume, images));
    const out = shard === undefined ? whole : join(whole, 'shards', `${shard.index}-of-${shard.count}`);
    const { settings, ...loaders } = byExemplars ?? (await batchByPrompts(options));
    const progress = startProgress('images');
    const stop = stopOnSignals('finishing the current image');
    const begin = performance.now();
    const summary = await runBatch({
      images,
      settings,
      out,
      results,
      ...loaders,
      pixelSizes,
      shard,
      listHash: shard && listHash(all),
      overwrite,
      onBad,
      signal: stop.signal,
      onProgress: (done, total, { fileName }) => progress.update(done, total, `${perSecond(done, begin)}, ${fileName}`),
      logger: consoleLogger,
    }).finally(() => {
      progress.stop();
      stop.dispose();
      return store.close();
    });
    const { done, skipped, found, bad, times } = summary;
    const before = skipped === 0 ? '' : `, ${skipped} done before`;
    const written = results === 'files' ? ['results.json', 'overlays'] : ['results.parquet', 'images.parquet'];
    consoleLogger.info(
      `${done} images done, ${perSecond(done, begin)}${before}; ${found} objects found in total: ${written.map((name) => join(out, name)).join(', ')}`,
    );
    if (planes !== undefined && !stop.signal.aborted) await reportVolumes(out, planes, settings.prompts);
    if (done > 1) consoleLogger.info(`time: ${timesLine(times)}`);
    for (const message of bad) consoleLogger.warn(message);
    if (bad.length > 0)
      consoleLogger.warn(`${bad.length} of ${images.length} images failed: they could not be read, or their results not written`);
    if (stop.signal.aborted) {
      consoleLogger.warn('interrupted; the same command resumes');
      process.exitCode = stop.exitCode();
    } else if (bad.length > 0) process.exitCode = 1;
  },
};

/** @throws UsageError when there is no prompt, or an option has a value that it may not have. */
function checkPromptOptions({ prompt, threshold, nms, label, support, supportSeed, draws }: InferOptions): void {
  if (prompt === undefined)
    throw new UsageError({
      code: 'E_OPTION_MISSING',
      where: '--prompt',
      what: 'neither a prompt nor exemplars were given',
      fix: 'Say what to look for, as in --prompt "benign lesion. cyst.", or show it with --exemplars DIR',
    });
  const [only] = Object.entries({ label, support, 'support-seed': supportSeed, draws }).filter(
    ([, value]) => value !== undefined,
  );
  if (only !== undefined)
    throw new UsageError({
      code: 'E_OPTION_CONFLICT',
      where: `--${only[0]}`,
      what: 'it is for exemplars',
      fix: 'Give --exemplars DIR instead of --prompt, or leave it out',
    });
  if (prompt.some((text) => text.replace(/[.\s]/g, '') === ''))
    throw new UsageError({
      code: 'E_PROMPT_TEXT',
      where: '--prompt',
      what: 'it names nothing',
      fix: 'Say what to look for, as in "benign lesion. cyst."',
    });
  for (const line of respelt(prompt.flatMap(splitPrompt))) consoleLogger.info(line);
  for (const [name, value] of Object.entries({ threshold, nms }))
    if (value !== undefined && !(value >= 0 && value <= 1))
      throw new UsageError({ code: 'E_OPTION_VALUE', where: `--${name}`, what: `expected a number from 0 to 1, got ${value}` });
}

async function batchByPrompts(options: InferOptions): Promise<Pick<BatchOptions, 'settings' | 'load'>> {
  const { prompt = [], detector = shippedModels.detector, masker, adapter, maskerAdapter, adapterScale = 1, backend } = options;
  const { threshold = 0.3, nms = 0.5, select = 'all', precision } = options;
  const spread = await spreadOf(options, prompt);
  const method = maskingMethod({ name: options.method, weights: options.weights, masker, maskerAdapter });
  if (findsByText(method)) return batchByText(method, options);
  const models = await namedModels({
    detector,
    masker: method?.weights ?? masker,
    adapter,
    maskerAdapter,
    adapterScale,
    precision,
  });
  return {
    settings: {
      prompts: prompt,
      ...models,
      ...(method && { method: method.entry.name }),
      select,
      threshold,
      nmsThreshold: nms,
      ...(spread && { spread }),
    },
    load: async (named) => {
      await initBackend(backend, consoleLogger);
      if (method === undefined) return GroundedSegmenter.load(named);
      return segmenterWith(method.entry, { weights: method.weights, detector: named });
    },
  };
}

/** A method that finds by itself what a prompt says: its first model takes the place of the detector, its second of the masker. */
async function batchByText(method: TextMethod, options: InferOptions): Promise<Pick<BatchOptions, 'settings' | 'load'>> {
  const { prompt = [], detector, adapter, adapterScale, precision, threshold, nms, select, backend } = options;
  if (precision === 'bfloat16')
    throw new UsageError({
      code: 'E_OPTION_CONFLICT',
      where: '--precision',
      what: `${method.entry.name} runs in float32`,
      fix: 'Leave it out',
    });
  refuseDetectorOptions(method, { detector, adapter, 'adapter-scale': adapterScale, threshold, nms, select });
  const spread = await spreadOf(options, prompt);
  const { entry, weights } = method;
  const [first = weights, second] = weightParts(entry, weights);
  const models = { detector: first, masker: second ?? null, adapter: undefined };
  return {
    settings: {
      prompts: prompt,
      ...models,
      method: entry.name,
      select: 'all',
      threshold: 0,
      nmsThreshold: 1,
      ...(spread && { spread }),
    },
    load: async () => {
      await initBackend(backend, consoleLogger);
      return createMethod(entry, { weights });
    },
  };
}

function openExemplars(options: InferOptions, exemplars: string) {
  const { prompt, masker, method, weights, adapter, threshold, nms, select, maskerAdapter, adapterScale, backend } = options;
  const others = {
    prompt,
    masker,
    method,
    weights,
    adapter,
    'masker-adapter': maskerAdapter,
    'adapter-scale': adapterScale,
    precision: options.precision,
    spread: options.spread,
    wordings: options.wordings,
    threshold,
    nms,
    select,
  };
  return batchByExemplars({ ...options, exemplars }, others, backend);
}

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

/** Copying a finished folder is left to the tools of the store: a batch appends to files. */
function requireFolder(out: string): void {
  if (!/^[a-z][a-z0-9+.-]+:\/\//i.test(out)) return;
  throw new UsageError({
    code: 'E_OPTION_VALUE',
    where: '--out',
    what: `expected a folder, got ${out}`,
    fix: 'Choose a folder on this machine, and copy it when it is finished',
  });
}

function perSecond(done: number, begin: number): string {
  const rate = (1000 * done) / Math.max(1, performance.now() - begin);
  return `${rate.toFixed(rate < 10 ? 2 : 0)} images/s`;
}
