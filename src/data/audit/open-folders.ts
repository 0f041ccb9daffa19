import { readdir, stat } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { DataError } from '../../util/index.js';
import { CocoDataset, type Split } from '../coco.js';
import { reasonOf } from './inspect.js';
import { isOwn } from './own-file.js';
import type { AuditSplit, Problem } from './types.js';

const SPLITS: readonly Split[] = ['train', 'val', 'test'];

/** The splits of several datasets, and the problems found while opening them. */
export interface OpenedFolders {
  readonly splits: readonly AuditSplit[];
  readonly problems: readonly Problem[];
}

/**
 * Opens folders in the project's layout: each a dataset, or a folder of datasets.
 *
 * @throws DataError naming the folder when there is no dataset in it.
 */
export async function openFolders(folders: readonly string[]): Promise<OpenedFolders> {
  const roots = [...new Set((await Promise.all(folders.map(datasetsOf))).flat())];
  const names = namesOf(roots);
  const opened = await Promise.all(roots.map((root, i) => openDataset(root, names[i] as string)));
  return { splits: opened.flatMap(({ splits }) => splits), problems: opened.flatMap(({ problems }) => problems) };
}

async function datasetsOf(folder: string): Promise<string[]> {
  const root = resolve(folder);
  if (!(await isFolder(root)))
    throw new DataError({ code: 'E_FILE_NOT_FOUND', where: folder, what: 'there is no such folder', fix: 'Check the path' });
  if (await isDataset(root)) return [root];
  const names = (await readdir(root)).filter((name) => !name.startsWith('.')).sort();
  const inner = await Promise.all(names.map(async (name) => ((await isDataset(join(root, name))) ? [join(root, name)] : [])));
  if (inner.flat().length > 0) return inner.flat();
  throw new DataError({
    code: 'E_DATASET_NOT_IMPORTED',
    where: folder,
    what: 'there is no dataset in it',
    fix: 'A dataset is a folder with annotations/{train,val,test}.json, images/ and masks/',
  });
}

async function isDataset(root: string): Promise<boolean> {
  const names: string[] = await readdir(join(root, 'annotations')).catch(() => []);
  return SPLITS.some((split) => names.includes(`${split}.json`));
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}

/** Folder names, prefixed by the parent folder where two are equal. */
function namesOf(roots: readonly string[]): string[] {
  const names = roots.map((root) => basename(root));
  return names.map((name, i) =>
    names.indexOf(name) === names.lastIndexOf(name) ? name : join(basename(join(roots[i] as string, '..')), name),
  );
}

async function openDataset(root: string, dataset: string): Promise<OpenedFolders> {
  const present = new Set(await readdir(join(root, 'annotations')));
  const splits: AuditSplit[] = [];
  const problems: Problem[] = [];
  for (const split of SPLITS.filter((name) => present.has(`${name}.json`))) {
    try {
      splits.push({ dataset, split, root, data: await CocoDataset.open(root, split) });
    } catch (error) {
      const what = reasonOf(error);
      problems.push({ level: 'error', dataset, split, file: `annotations/${split}.json`, what });
    }
  }
  const forgotten = await orphans(root, dataset, splits);
  return { splits, problems: [...problems, ...(await strangers(root, dataset, splits)), ...forgotten] };
}

/** Files that are links out of the dataset; one is named per split. */
async function strangers(root: string, dataset: string, splits: readonly AuditSplit[]): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const { split, data } of splits) {
    const outside: string[] = [];
    for (let i = 0; i < data.size; i++)
      for (const file of data.source?.(i)?.files ?? []) if (!(await isOwn(file, root))) outside.push(file);
    const [first] = outside;
    if (first === undefined) continue;
    const what = `${outside.length === 1 ? 'it leads' : `it and ${outside.length - 1} more lead`} out of the dataset by a link: not shown on the page`;
    problems.push({ level: 'warning', dataset, split, file: relative(root, first), what });
  }
  return problems;
}

/** Files that no annotation names. Skipped if an annotation file could not be read. */
async function orphans(root: string, dataset: string, splits: readonly AuditSplit[]): Promise<Problem[]> {
  const present = await readdir(join(root, 'annotations'));
  const first = splits[0];
  if (
    first === undefined ||
    SPLITS.some((split) => present.includes(`${split}.json`) && !splits.some((own) => own.split === split))
  )
    return [];
  const used = new Set<string>();
  for (const { data } of splits)
    for (let i = 0; i < data.size; i++)
      for (const file of data.source?.(i)?.files ?? []) used.add(file.replace(/#[xyz]?\d+(t\d+)?$/, ''));
  const lists = await Promise.all(
    ['images', 'masks'].map(async (folder) => {
      const names: string[] = await readdir(join(root, folder), { recursive: true }).catch(() => []);
      const files = names
        .filter((name) => /\.[^/\\]+$/.test(name) && !/(^|[/\\])\./.test(name))
        .map((name) => join(folder, name));
      return files.filter((file) => !used.has(join(root, file)));
    }),
  );
  return lists.flat().map((file) => ({
    level: 'warning',
    dataset,
    split: first.split,
    file,
    what: 'no annotation names it',
  }));
}
