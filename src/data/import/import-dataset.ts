import { constants, copyFile, link, rename } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { respelt } from '../../prompts/index.js';
import { DataError, temporaryPath, writeFileAtomic } from '../../util/index.js';
import type { Split } from '../coco.js';
import { type AssembleOptions, assemblePaper, assembleStrict, type Copy, type Done, type Splits, sourceOf } from './assemble.js';
import { writeAnnotations } from './coco-writer.js';
import { copyNotes, findCopies, reportCopies } from './copies.js';
import { slug } from './file-name.js';
import { FileTree } from './file-tree.js';
import { filesOf, Journal, recordKey } from './journal.js';
import { nothingFound, recognised } from './nothing-found.js';
import { checkPlaces } from './places.js';
import { processAll } from './pool.js';
import type { NamedRecord, ProcessOptions, RecordResult } from './process-record.js';
import { loadPrompts, phraseOf } from './prompts.js';
import { type CopiesReport, countSplits, type ImportReport } from './report.js';
import { resizedNote } from './resized.js';
import { readSplitFile, splitText, withSplits } from './splits/index.js';
import { paperStems, withStems } from './stems.js';
import { type ImportOptions, kindOf, type Task, taskOf } from './task.js';
import type { Found, Importer, Problem } from './types.js';

export type { ImportOptions } from './task.js';

/**
 * Imports a published or user-provided dataset into the project's layout: `annotations/{train,val,test}.json` (COCO), `images/`,
 * `masks/` and `report.json`. An interrupted import resumes; a finished one is only verified.
 *
 * @throws UsageError for an unknown name or an option that the dataset does not have; DataError when nothing can be imported,
 *   when the folders may not be used, and, with `onBad: stop`, for the first bad file.
 */
export async function importDataset(given: ImportOptions): Promise<ImportReport> {
  const task = taskOf(given);
  const { importer, options } = task;
  const tree = await FileTree.open(options.from);
  await checkPlaces(options.from, options.to);
  const splitOf = options.splits === undefined ? undefined : await readSplitFile(options.splits, importer);
  const scanned = await importer.scan({
    protocol: options.protocol,
    tree,
    variant: task.variant ?? '',
    prompts: options.prompts,
    officialSplits: options.officialSplits,
  });
  if (scanned.records.length === 0) throw nothingFound(importer, tree, scanned.problems, await recognised(tree, importer));
  const found = splitOf === undefined ? scanned : divided(scanned, splitOf, options);
  const [first] = found.problems;
  if (options.onBad === 'stop' && first !== undefined) throw badFile(first);
  const journal = await Journal.open(options.to, kindOf(task), options.overwrite);
  try {
    return await run(task, found, journal);
  } finally {
    await journal.close();
  }
}

/** The records found, with splits from a split file. */
function divided(found: Found, splitOf: ReadonlyMap<string, Split>, { splits = '', from }: Task['options']): Found {
  const { records, problems, notes } = withSplits(found.records, splitOf, splits, (record) => sourceOf(record, from));
  if (records.length === 0)
    throw new DataError({
      code: 'E_SPLITS_INVALID',
      where: splits,
      what: `it names none of the ${found.records.length} images that are in ${from}`,
      fix: 'Names are those of splits.json of an import of the same dataset and variant',
    });
  return { ...found, records, problems: [...found.problems, ...problems], notes: [...(found.notes ?? []), ...notes] };
}

async function run(task: Task, found: Found, journal: Journal): Promise<ImportReport> {
  const { importer, options, variant } = task;
  const { from, to, protocol, seed, logger } = options;
  const prompts = await loadPrompts(importer.name);
  const warning = importer.warning?.({ protocol, variant: variant ?? '' });
  const notes = [
    ...(warning === undefined ? [] : [warning]),
    ...(protocol === 'paper' ? [LEAKS] : []),
    ...(found.notes ?? []),
    ...(protocol === 'strict' ? notWhole(importer, found) : []),
  ];
  for (const note of notes) logger.warn(note);
  const problems: Problem[] = [...found.problems];
  const results = await processRecords(task, found, journal, problems);
  const done = found.records.flatMap((record, i): Done[] => {
    const result = results[i];
    return result?.ok === true ? [{ record, result }] : [];
  });
  if (done.length === 0) throw noneUsable(found, problems, from);
  const resized = resizedNote(done, from);
  if (resized !== undefined) {
    notes.push(resized);
    logger.warn(resized);
  }
  const classes = Object.keys(prompts?.classes ?? {});
  const named = new Set(done.flatMap(({ result }) => result.objects.map((object) => object.class)));
  const spelling = respelt([...named].filter((name) => prompts?.classes[name] === undefined));
  for (const line of spelling) logger.info(line);
  const assembly: AssembleOptions = {
    importer,
    seed,
    keepSplits: options.officialSplits || options.splits !== undefined || importer.keepsSplits === true,
    phraseOf: (name) => phraseOf(name, prompts, protocol),
    classes: classes.length > 0 ? classes : [...named].sort(),
    from,
  };
  const { splits, links, copies } = protocol === 'paper' ? paperSplits(done, assembly) : strictSplits(done, assembly);
  for (const note of copies === undefined ? [] : copyNotes(copies, splits, importer)) {
    notes.push(note);
    logger.warn(note);
  }
  await makeCopies(links, to);
  const report: ImportReport = {
    dataset: importer.name,
    protocol,
    ...(variant === undefined ? {} : { variant }),
    seed,
    ...countSplits(splits),
    ...(copies === undefined ? {} : { copies }),
    problems: problems.map(({ file, what }) => ({ file: below(from, file), what })),
    notes: [...notes, ...spelling],
  };
  await writeDataset(splits, task, report);
  if (protocol === 'strict') await writeSplits(done, splits, task);
  await journal.sweep(new Set([...done.flatMap(({ result }) => filesOf(result)), ...links.map((link) => `images/${link.to}`)]));
  await writeFileAtomic(join(to, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
  return report;
}

interface Assembled {
  readonly splits: Splits;
  readonly links: readonly Copy[];
  readonly copies?: CopiesReport;
}

function paperSplits(done: readonly Done[], assembly: AssembleOptions): Assembled {
  const { splits, copies } = assemblePaper(done, assembly);
  return { splits, links: copies };
}

function strictSplits(done: readonly Done[], assembly: AssembleOptions): Assembled {
  const found = findCopies(done);
  const { splits, splitOf } = assembleStrict(done, found.joined, assembly);
  return { splits, links: [], copies: reportCopies(done, found, splitOf, assembly.from) };
}

const LEAKS =
  'protocol paper divides single outlines, not patients: the same image, volume or patient is in training and test. Use it to compare with the published figures only';

/** Notices about an incomplete archive or another version of it. */
function notWhole({ title, published }: Importer, { records }: Found): string[] {
  const here = published?.of === 'volumes' ? new Set(records.map(({ group }) => group)).size : records.length;
  if (published === undefined || here === published.count) return [];
  return [`${here} ${published.of} are complete here, ${title} was published with ${published.count}`];
}

/** Processes the pending records in threads; results are in record order. */
async function processRecords(
  { importer, options }: Task,
  { records }: Found,
  journal: Journal,
  problems: Problem[],
): Promise<(RecordResult | undefined)[]> {
  const paper = options.protocol === 'paper' ? importer.paper : undefined;
  const named =
    paper === undefined ? withStems(records, ({ name }) => `${importer.name}_${slug(name)}`) : paperStems(records, paper);
  const process: ProcessOptions = {
    to: options.to,
    stretch: importer.stretchMasks ?? false,
    ...(paper === undefined ? {} : { paper }),
  };
  const results = new Map<string, RecordResult>();
  const keys = new Map<string, string>();
  const open: NamedRecord[] = [];
  for (const item of named) {
    const key = await recordKey(item, process);
    const known = await journal.find(key);
    if (known === undefined) open.push(item);
    else results.set(item.stem, known);
    keys.set(item.stem, key);
  }
  options.onProgress?.(results.size, named.length);
  await processAll(open, process, async (result) => {
    if (!result.ok && options.onBad === 'stop') throw badFile({ file: below(options.from, result.file), what: result.what });
    await journal.add(keys.get(result.stem) ?? '', result);
    results.set(result.stem, result);
    options.onProgress?.(results.size, named.length);
  });
  const ordered = named.map(({ stem }) => results.get(stem));
  // A broken volume is reported once, not once per slice.
  const bad = new Map(
    ordered.flatMap((result) => (result?.ok === false ? [[`${result.file}\n${result.what}`, result] as const] : [])),
  );
  for (const { file, what } of bad.values()) problems.push({ file, what });
  return ordered;
}

async function writeDataset(splits: Splits, { importer, options, variant }: Task, report: ImportReport): Promise<void> {
  const phrases = Object.keys(report.phrases);
  const asked = (['train', 'val', 'test'] as const).flatMap((split) => splits[split].flatMap((entry) => entry.phrases));
  const all = [...new Set([...phrases, ...asked])];
  const info = {
    dataset: importer.name,
    title: importer.title,
    organ: importer.organ,
    url: importer.source,
    protocol: options.protocol,
    seed: options.seed,
    ...(variant === undefined ? {} : { variant }),
  };
  for (const split of ['train', 'val', 'test'] as const) await writeAnnotations(options.to, split, splits[split], all, info);
}

/** Writes the split by image names, for others who have the same dataset in other files. */
async function writeSplits(done: readonly Done[], splits: Splits, { importer, options, variant }: Task): Promise<void> {
  const nameOf = new Map(done.map(({ record, result }) => [result.imageFile, record.name]));
  const names = (split: Split) => splits[split].map(({ fileName }) => nameOf.get(fileName) as string);
  const text = splitText({
    dataset: importer.name,
    variant,
    seed: options.splits === undefined ? options.seed : undefined,
    splits: { train: names('train'), val: names('val'), test: names('test') },
  });
  await writeFileAtomic(join(options.to, 'splits.json'), text);
}

/** Uses hard links where the file system supports them, to save space. */
async function makeCopies(copies: readonly Copy[], to: string): Promise<void> {
  for (const copy of copies) {
    const [source, target] = [join(to, 'images', copy.from), join(to, 'images', copy.to)];
    const temporary = temporaryPath(target);
    await link(source, temporary).catch(() => copyFile(source, temporary, constants.COPYFILE_FICLONE));
    await rename(temporary, target);
  }
}

function badFile({ file, what }: Problem): DataError {
  return new DataError({ code: 'E_DATA_UNUSABLE', where: file, what, fix: 'Mend or remove it, or import with --on-bad skip' });
}

function noneUsable({ records }: Found, problems: readonly Problem[], from: string): DataError {
  const { file, what } = problems.at(-1) ?? { file: from, what: 'nothing of it can be read' };
  const of = records.length > 1 ? `; none of the ${records.length} images can be used` : '';
  return new DataError({
    code: 'E_DATA_UNUSABLE',
    where: file,
    what: `${what}${of}`,
    fix: 'Mend what it says, and import again',
  });
}

function below(from: string, file: string): string {
  const way = isAbsolute(file) ? relative(from, file) : file;
  return way.split(sep).join('/');
}
