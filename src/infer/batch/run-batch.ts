import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { lettersLacking } from '../../imaging/index.js';
import { PromptTokenizer } from '../../prompts/index.js';
import { shownName, silentLogger, UsageError, writeFileAtomic } from '../../util/index.js';
import { type EvidenceSummary, foundInFiles, separateObjects, volumesInPlanes, writeEvidence } from '../evidence/index.js';
import type { BatchImage } from './batch-image.js';
import type { BatchOptions } from './batch-options.js';
import { type BatchFolder, batchFolderFile, requireKind } from './folder.js';
import { Journal } from './journal.js';
import type { JournalEntry } from './journal-entry.js';
import { outputsOf, prepareOutputs, removeOutputs, withBatchLock } from './outputs.js';
import type { ResultsForm } from './results-form.js';
import { segmentImages } from './segment-images.js';
import { imageKey, settingsKey } from './settings.js';
import { type BatchTimes, writeTimes } from './times.js';
import { type VolumeResult, writeVolumes } from './volumes.js';

/** Result of a batch. */
export interface BatchSummary {
  /** Images segmented in this call and in earlier ones. */
  readonly done: number;
  readonly skipped: number;
  /** Segments in all images of `results.json`. */
  readonly found: number;
  /** One message per image that could not be read, or whose files could not be written. */
  readonly bad: readonly string[];
  /** Where the time went. */
  readonly times: BatchTimes;
  /** Segmentations and reports in DICOM, if they were asked for. */
  readonly evidence?: EvidenceSummary | undefined;
  /** The volume of each structure, if planes were given. */
  readonly volumes?: readonly VolumeResult[] | undefined;
}

/**
 * Segments many images: an overlay and mask files for each, and for all of them `results.json` in COCO's results format with
 * `images.json`, the images that it refers to. Images already finished with the same settings and models are skipped. Calibrated
 * models also write `verdicts.json`: whether each image shows each structure. Reading the next image and writing the files of the
 * last one overlap with computing.
 *
 * @throws DataError for the first image that cannot be read, if `onBad` is `stop`; SonogroundError when the disk is full
 * (finished images are kept); InUseError when another process writes into the folder; UsageError for a folder with results of clips.
 */
export function runBatch(options: BatchOptions): Promise<BatchSummary> {
  return withBatchLock(options.out, () => run(options), options.logger);
}

/** Hash of a list of images, by which shards of different lists are recognised. */
export function listHash(images: readonly BatchImage[]): string {
  const hash = createHash('sha256');
  for (const { id } of images) hash.update(`${id}\n`);
  return hash.digest('hex').slice(0, 16);
}

async function run(options: BatchOptions): Promise<BatchSummary> {
  const {
    images,
    settings,
    out,
    results = 'files',
    overwrite = false,
    logger = silentLogger,
    shard,
    listHash: list,
    pixelSizes,
  } = options;
  const prompts = settings.prompts.map((prompt) => PromptTokenizer.parsePrompt(prompt));
  distinct(prompts.flat());
  await requireKind(out, 'images');
  const key = await settingsKey(settings, pixelSizes?.key);
  const journal = await Journal.open(out, key, results);
  await prepareOutputs(out, results);
  const { todo, stale } = await unfinished(images, journal, key, { out, results, overwrite });
  for (const { id, masks } of stale) await removeOutputs(out, id, masks);
  journal.forget(stale.map(({ id }) => id));
  if (journal.foreign > 0)
    logger.warn(
      `${journal.foreign} images in ${out} were done with other settings and leave ${RESULTS_FILE[results]}; their files stay`,
    );
  const lacking = results === 'files' ? lettersLacking(prompts.flat()) : [];
  if (todo.length > 0 && lacking.length > 0)
    logger.warn(
      `overlays spell ${shownName(lacking.slice(0, 20).join(' '))} as codes (U+…): their font has Latin, Greek and Cyrillic letters; results.json keeps the phrases as they are`,
    );
  await journal.start(prompts.flat());
  const about: BatchFolder = {
    ...settings,
    ...(pixelSizes && { pixelSizes: pixelSizes.source }),
    key,
    images: images.length,
    ...(shard && { shard, list }),
    ...(results === 'parquet' && { results }),
  };
  await writeFileAtomic(join(out, batchFolderFile), `${JSON.stringify(about, null, 2)}\n`);
  const { done, bad, times } = await segmentImages(todo, prompts, journal, key, options);
  if (shard !== undefined) await writeTimes(out, shard, times);
  const over = { done, skipped: images.length - todo.length, found: journal.found, bad, times };
  if (options.signal?.aborted) return over;
  const volumes = await volumesOf(options, journal, prompts.flat());
  return { ...over, volumes, evidence: await evidenceOf(options, journal, key, volumes) };
}

/** Computes and writes volumes, if the options name planes. */
async function volumesOf(
  { out, planes }: BatchOptions,
  journal: Journal,
  phrases: readonly string[],
): Promise<VolumeResult[] | undefined> {
  if (planes === undefined) return undefined;
  const plane = ({ id, fileName }: BatchImage) => ({ fileName, results: journal.entry(id)?.results });
  return writeVolumes(out, [plane(planes[0]), plane(planes[1])], phrases);
}

/** Writes segmentations and reports of the finished images, if the options ask for them. */
async function evidenceOf(
  { out, images, settings, evidence, planes, onBad, signal }: BatchOptions,
  journal: Journal,
  key: string,
  volumes: readonly VolumeResult[] | undefined,
): Promise<EvidenceSummary | undefined> {
  if (evidence === undefined) return undefined;
  const files = await foundInFiles(images, ({ id }) => {
    const whole = journal.entry(id);
    return whole === undefined ? journal.partsOf(id) : [whole];
  });
  const sources = files.map((file) => ({
    ...file,
    asked: file.frames.map(({ frame }) => frame),
    results: file.frames,
    objects: (several: boolean) => separateObjects(file, several),
  }));
  const measured = planes && (await volumesInPlanes(planes, volumes ?? []));
  return writeEvidence(out, sources, settings, evidence, key, { onBad, signal, volumes: measured });
}

const RESULTS_FILE = { files: 'results.json', parquet: 'results.parquet' } as const;

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

/** The images to do, in order, and what is there of them that has to go. The finished parts of an unfinished file stay. */
async function unfinished(
  images: readonly BatchImage[],
  journal: Journal,
  key: string,
  { out, results, overwrite }: { readonly out: string; readonly results: ResultsForm; readonly overwrite: boolean },
) {
  const todo: BatchImage[] = [];
  const stale: Pick<JournalEntry, 'id' | 'masks'>[] = [];
  for (const image of images) {
    const own = overwrite ? undefined : await imageKey(image, key);
    const isDone = async (entry: JournalEntry) =>
      own !== undefined && entry.key === own && (results === 'parquet' || (await allThere(out, entry.id, entry.masks)));
    const whole = journal.entry(image.id);
    const parts = journal.partsOf(image.id);
    const count = whole === undefined ? (parts[0]?.of?.count ?? 1) : 1;
    const entries = whole === undefined ? parts : [whole];
    const good = await Promise.all(entries.map(isDone));
    if (good.filter(Boolean).length === count) continue;
    todo.push(image);
    // Also without an entry: a stop may have left files.
    if (parts.length === 0) stale.push({ id: image.id, masks: 0 });
    stale.push(...entries.filter((_, i) => !good[i]));
  }
  return { todo, stale };
}

async function allThere(out: string, id: string, masks: number): Promise<boolean> {
  const found = await Promise.all(outputsOf(out, id, masks).map((file) => stat(file).catch(() => undefined)));
  return found.every((info) => info?.isFile());
}
