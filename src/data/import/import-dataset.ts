import { constants, copyFile, link, rename } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { respelt } from '../../processing/index.js';
import { DataError, type Logger, silentLogger, temporaryPath, UsageError, writeFileAtomic } from '../../util/index.js';
import { type AssembleOptions, assemblePaper, assembleStrict, type Copy, type Done, type Parts } from './assemble.js';
import { writeAnnotations } from './coco-writer.js';
import { distinct, paperName, slug } from './file-name.js';
import { FileTree } from './file-tree.js';
import { filesOf, Journal, recordKey } from './journal.js';
import { checkPlaces } from './places.js';
import { processAll } from './pool.js';
import type { NamedRecord, ProcessOptions, RecordResult } from './process-record.js';
import { loadPrompts, phraseOf } from './prompts.js';
import { adapters, findAdapter } from './registry.js';
import { countParts, type ImportReport } from './report.js';
import type { Adapter, Found, Problem, Protocol } from './types.js';

/** What an import is asked. */
export interface ImportOptions {
  /** A name or another spelling of it. */
  readonly dataset: string;
  /** The unpacked dataset. */
  readonly from: string;
  /** Where the project's layout is written. */
  readonly to: string;
  /** Default: `strict`. */
  readonly protocol?: Protocol;
  /** What the first bad file does. Default: `skip`, it is left out and listed. */
  readonly onBad?: 'stop' | 'skip';
  /** Of the split. Default: 42. */
  readonly seed?: number;
  /** Use the publisher's parts. Default: false. */
  readonly officialSplits?: boolean;
  /** One of the dataset's variants. Default: its first; the paper's under `protocol: paper`. */
  readonly variant?: string;
  /** What the objects of a set that names nothing are called. */
  readonly prompts?: readonly string[];
  /** Replaces an earlier import, or writes into a folder that is not empty. Default: false. */
  readonly overwrite?: boolean;
  readonly logger?: Logger;
  /** Told how far the import is. */
  readonly onProgress?: (done: number, total: number) => void;
}

interface Task {
  readonly adapter: Adapter;
  readonly options: Required<Omit<ImportOptions, 'variant' | 'onProgress'>> & Pick<ImportOptions, 'onProgress'>;
  readonly variant: string | undefined;
}

/**
 * Brings a published dataset, or one's own, into the project's layout: `annotations/{train,val,test}.json` (COCO), `images/`,
 * `masks/` and `report.json`. A stopped import goes on where it was; a finished one is only checked.
 *
 * @throws UsageError for an unknown name or an option that the dataset has not; DataError when nothing can be imported, when
 *   the folders may not be used, and, with `onBad: stop`, for the first bad file.
 */
export async function importDataset(given: ImportOptions): Promise<ImportReport> {
  const task = taskOf(given);
  const { adapter, options } = task;
  const tree = await FileTree.open(options.from);
  await checkPlaces(options.from, options.to);
  const found = await adapter.scan({
    protocol: options.protocol,
    tree,
    variant: task.variant ?? '',
    prompts: options.prompts,
    officialSplits: options.officialSplits,
  });
  if (found.records.length === 0) throw nothingFound(adapter, tree, found.problems, await recognised(tree, adapter));
  const [first] = found.problems;
  if (options.onBad === 'stop' && first !== undefined) throw badFile(first);
  const journal = await Journal.open(options.to, kindOf(task), options.overwrite);
  try {
    return await run(task, found, journal);
  } finally {
    await journal.close();
  }
}

function taskOf(given: ImportOptions): Task {
  const adapter = findAdapter(given.dataset);
  const protocol = given.protocol ?? 'strict';
  const options = {
    protocol,
    onBad: 'skip' as const,
    seed: 42,
    officialSplits: false,
    prompts: [],
    overwrite: false,
    logger: silentLogger,
    ...given,
  };
  if (!Number.isSafeInteger(options.seed) || options.seed < 0)
    throw new UsageError({ where: '--seed', what: `${options.seed} is no whole number from 0 on`, fix: 'For example --seed 42' });
  if (protocol === 'paper' && adapter.paper === undefined) {
    const what = `the paper has no dataset ${adapter.name}`;
    throw new UsageError({ where: '--protocol', what, fix: 'Leave --protocol out' });
  }
  if (options.officialSplits && adapter.officialSplits === undefined) {
    const what = `${adapter.title} was published without parts`;
    throw new UsageError({ where: '--official-splits', what, fix: 'Leave it out: the parts are drawn by --seed' });
  }
  const variants = adapter.variants ?? [];
  if (given.variant !== undefined && !variants.includes(given.variant)) {
    const fix = variants.length === 0 ? 'Leave --variant out' : `Choose one of ${variants.join(', ')}`;
    throw new UsageError({ where: '--variant', what: `${adapter.title} has no variant ${given.variant}`, fix });
  }
  const variant = given.variant ?? (protocol === 'paper' ? (adapter.paperVariant ?? variants[0]) : variants[0]);
  return { adapter, options, variant };
}

/** One folder holds one kind of import; another seed only divides it anew. */
function kindOf({ adapter, options, variant }: Task): string {
  return [adapter.name, options.protocol, ...(variant === undefined ? [] : [variant])].join(' ');
}

async function run(task: Task, found: Found, journal: Journal): Promise<ImportReport> {
  const { adapter, options, variant } = task;
  const { from, to, protocol, seed, logger } = options;
  const prompts = await loadPrompts(adapter.name);
  const warning = adapter.warning?.({ protocol, variant: variant ?? '' });
  const notes = [
    ...(warning === undefined ? [] : [warning]),
    ...(protocol === 'paper' ? [LEAKS] : []),
    ...(found.notes ?? []),
    ...(protocol === 'strict' ? notWhole(adapter, found) : []),
  ];
  for (const note of notes) logger.warn(note);
  const problems: Problem[] = [...found.problems];
  const results = await processRecords(task, found, journal, problems);
  const done = found.records.flatMap((record, i): Done[] => {
    const result = results[i];
    return result?.ok === true ? [{ record, result }] : [];
  });
  if (done.length === 0) throw noneUsable(found, problems, from);
  const classes = Object.keys(prompts?.classes ?? {});
  const named = new Set(done.flatMap(({ result }) => result.objects.map((object) => object.class)));
  const spelling = respelt([...named].filter((name) => prompts?.classes[name] === undefined));
  for (const line of spelling) logger.info(line);
  const assembly: AssembleOptions = {
    adapter,
    seed,
    officialSplits: options.officialSplits,
    phraseOf: (name) => phraseOf(name, prompts, protocol),
    classes: classes.length > 0 ? classes : [...named].sort(),
    from,
  };
  const { parts, copies } =
    protocol === 'paper' ? assemblePaper(done, assembly) : { parts: assembleStrict(done, assembly), copies: [] };
  await makeCopies(copies, to);
  const report: ImportReport = {
    dataset: adapter.name,
    protocol,
    ...(variant === undefined ? {} : { variant }),
    seed,
    ...countParts(parts),
    problems: problems.map(({ file, what }) => ({ file: below(from, file), what })),
    notes: [...notes, ...spelling],
  };
  await writeParts(parts, task, report);
  await journal.sweep(new Set([...done.flatMap(({ result }) => filesOf(result)), ...copies.map((copy) => `images/${copy.to}`)]));
  await writeFileAtomic(join(to, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
  return report;
}

const LEAKS =
  'protocol paper divides single outlines, not patients: the same image, volume or patient is in training and test. Use it to compare with the published figures only';

/** Half an archive, or another version of it. */
function notWhole({ title, published }: Adapter, { records }: Found): string[] {
  const here = published?.of === 'volumes' ? new Set(records.map(({ group }) => group)).size : records.length;
  if (published === undefined || here === published.count) return [];
  return [`${here} ${published.of} are complete here, ${title} was published with ${published.count}`];
}

/** Everything that is not done yet, in threads; results in the order of the records. */
async function processRecords(
  { adapter, options }: Task,
  { records }: Found,
  journal: Journal,
  problems: Problem[],
): Promise<(RecordResult | undefined)[]> {
  const paper = options.protocol === 'paper' ? adapter.paper : undefined;
  const stems = distinct(
    records.map(({ name }) => (paper === undefined ? `${adapter.name}_${slug(name)}` : `${paper.key}_${paperName(name)}`)),
  );
  const named = records.map((record, i): NamedRecord => ({ stem: stems[i] as string, record }));
  const process: ProcessOptions = {
    to: options.to,
    stretch: adapter.stretchMasks ?? false,
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
  // A broken volume is told once, not for each of its slices.
  const bad = new Map(
    ordered.flatMap((result) => (result?.ok === false ? [[`${result.file}\n${result.what}`, result] as const] : [])),
  );
  for (const { file, what } of bad.values()) problems.push({ file, what });
  return ordered;
}

async function writeParts(parts: Parts, { adapter, options, variant }: Task, report: ImportReport): Promise<void> {
  const phrases = Object.keys(report.phrases);
  const asked = (['train', 'val', 'test'] as const).flatMap((part) => parts[part].flatMap((entry) => entry.phrases));
  const all = [...new Set([...phrases, ...asked])];
  const info = {
    dataset: adapter.name,
    title: adapter.title,
    organ: adapter.organ,
    url: adapter.source,
    protocol: options.protocol,
    seed: options.seed,
    ...(variant === undefined ? {} : { variant }),
  };
  for (const part of ['train', 'val', 'test'] as const) await writeAnnotations(options.to, part, parts[part], all, info);
}

/** As links where the file system has them: a copy costs its size. */
async function makeCopies(copies: readonly Copy[], to: string): Promise<void> {
  for (const copy of copies) {
    const [source, target] = [join(to, 'images', copy.from), join(to, 'images', copy.to)];
    const temporary = temporaryPath(target);
    await link(source, temporary).catch(() => copyFile(source, temporary, constants.COPYFILE_FICLONE));
    await rename(temporary, target);
  }
}

function nothingFound(
  adapter: Adapter,
  { root, archives }: FileTree,
  problems: readonly Problem[],
  other: Adapter | undefined,
): DataError {
  const [packed] = archives;
  const [problem] = problems;
  const expected = `${adapter.title} is laid out as ${adapter.layout}; it comes from ${adapter.source}`;
  if (packed !== undefined)
    return new DataError({ where: root, what: `${packed.relative} is still packed`, fix: `Unpack it. ${expected}` });
  if (other !== undefined)
    return new DataError({
      where: root,
      what: `it looks like ${other.title}, not ${adapter.title}`,
      fix: `Say --dataset ${other.name}`,
    });
  const more = problems.length > 1 ? `, and ${problems.length - 1} more` : '';
  const what =
    problem === undefined
      ? 'it holds nothing of this dataset'
      : `nothing can be imported (${problem.file}: ${problem.what}${more})`;
  return new DataError({ where: root, what, fix: expected });
}

/** The published dataset that a folder holds instead of the named one. */
async function recognised(tree: FileTree, named: Adapter): Promise<Adapter | undefined> {
  for (const adapter of adapters) {
    if (adapter === named || adapter.organ === 'any') continue;
    const variant = adapter.variants?.[0] ?? '';
    const scan = adapter.scan({ protocol: 'strict', tree, variant, prompts: [], officialSplits: false });
    const found = await scan.catch(() => undefined);
    if (found !== undefined && found.records.length > found.problems.length) return adapter;
  }
  return undefined;
}

function badFile({ file, what }: Problem): DataError {
  return new DataError({ where: file, what, fix: 'Mend or remove it, or import with --on-bad skip' });
}

function noneUsable({ records }: Found, problems: readonly Problem[], from: string): DataError {
  const { file, what } = problems.at(-1) ?? { file: from, what: 'nothing of it can be read' };
  const of = records.length > 1 ? `; none of the ${records.length} images can be used` : '';
  return new DataError({ where: file, what: `${what}${of}`, fix: 'Mend what it says, and import again' });
}

function below(from: string, file: string): string {
  const way = isAbsolute(file) ? relative(from, file) : file;
  return way.split(sep).join('/');
}
