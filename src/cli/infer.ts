import { join } from 'node:path';
import type { CommandModule } from 'yargs';
import { initBackend } from '../backend/index.js';
import { type BatchOptions, GroundedSegmenter, listHash, parseShard, runBatch, shardOf } from '../infer/index.js';
import { createMethod, segmenterWith, weightParts } from '../methods/index.js';
import { shippedModels } from '../pretrained/index.js';
import { respelt, splitPrompt } from '../prompts/index.js';
import { counted, UsageError } from '../util/index.js';
import { consoleLogger } from './console-logger.js';
import { gatherImages } from './images/gather-images.js';
import { evidenceOf, refuseWithDicom, reportEvidence } from './infer/dicom-options.js';
import { inferStudy, refuseWithoutArchive } from './infer/infer-dicomweb.js';
import { batchByExemplars } from './infer/infer-exemplars.js';
import { type InferOptions, withInferOptions } from './infer/infer-options.js';
import { refuseWithoutClips, trackClips } from './infer/infer-track.js';
import { exemplarWeights, findsByText, maskingMethod, refuseDetectorOptions, type TextMethod } from './infer/masking-method.js';
import { givenPixelSizes } from './infer/pixel-size-options.js';
import { spreadOf } from './infer/spread-options.js';
import { planesOf, reportVolumes } from './infer/volume-option.js';
import { namedModels } from './named-models.js';
import type { GlobalOptions } from './options.js';
import { startProgress } from './progress.js';
import { stopOnSignals } from './stop-on-signals.js';
import { timesLine } from './times-line.js';

export const inferCommand: CommandModule<GlobalOptions, InferOptions> = {
  command: 'infer',
  describe: 'find and segment what a prompt names or exemplars show in files, folders or globs: boxes, masks, overlays',
  builder: (args) => withInferOptions(args) as never,
  handler: async (options) => {
    requireFolder(options.out);
    if (options.exemplars === undefined) checkPromptOptions(options);
    if (options.dicomweb !== undefined) return inferStudy(options, options.dicomweb, inferImages);
    refuseWithoutArchive(options);
    await inferImages(options);
  },
};

/** Segments images and clips. @returns whether a signal has interrupted it. */
async function inferImages(options: InferOptions): Promise<{ readonly interrupted: boolean }> {
  const { out: whole, shard: part, results, onBad, overwrite } = options;
  refuseWithDicom(options);
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
  const evidence = await evidenceOf(options, out, settings.prompts);
  const progress = startProgress('images');
  const stop = stopOnSignals('finishing the current image');
  const begin = performance.now();
  const summary = await runBatch({
    images,
    settings,
    out,
    results,
    ...loaders,
    evidence,
    planes,
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
    `${counted(done, 'image')} done, ${perSecond(done, begin)}${before}; ${counted(found, 'object')} found in total: ${written.map((name) => join(out, name)).join(', ')}`,
  );
  reportVolumes(summary.volumes ?? [], out);
  if (done > 1) consoleLogger.info(`time: ${timesLine(times)}`);
  reportEvidence(summary.evidence, out, options.keepIdentity);
  for (const message of bad) consoleLogger.warn(message);
  if (bad.length > 0)
    consoleLogger.warn(`${bad.length} of ${images.length} images failed: they could not be read, or their results not written`);
  if (stop.signal.aborted) {
    consoleLogger.warn('interrupted; the same command resumes');
    process.exitCode = stop.exitCode();
  } else if (bad.length + (summary.evidence?.bad.length ?? 0) > 0) process.exitCode = 1;
  return { interrupted: stop.signal.aborted };
}

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

async function openExemplars(options: InferOptions, exemplars: string) {
  const { prompt, masker, method, weights, adapter, threshold, nms, select, maskerAdapter, adapterScale, backend } = options;
  const named = await exemplarWeights({ method, weights });
  if (named !== undefined && options.detector !== undefined)
    throw new UsageError({
      code: 'E_OPTION_CONFLICT',
      where: '--model',
      what: `${method} has its weights by --weights`,
      fix: 'Leave one of them out',
    });
  const others = {
    prompt,
    masker,
    weights: named === undefined ? weights : undefined,
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
  return batchByExemplars({ ...options, exemplars, detector: named ?? options.detector }, others, backend);
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
