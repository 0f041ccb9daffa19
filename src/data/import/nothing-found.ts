import { DataError } from '../../util/index.js';
import type { FileTree } from './file-tree.js';
import { importers } from './registry.js';
import type { Importer, Problem } from './types.js';

/** Explains why there is nothing to import: packed archives, a different dataset, or a specific problem. */
export function nothingFound(
  importer: Importer,
  { root, archives }: FileTree,
  problems: readonly Problem[],
  other: Importer | undefined,
): DataError {
  const [packed] = archives;
  const [problem] = problems;
  const expected = `${importer.title} is laid out as ${importer.layout}; it comes from ${importer.source}`;
  if (packed !== undefined)
    return new DataError({
      code: 'E_DATASET_PACKED',
      where: root,
      what: `${packed.relative} is still packed`,
      fix: `Unpack it. ${expected}`,
    });
  // Findings for the named dataset take precedence over guesses at another one.
  if (other !== undefined && problem === undefined)
    return new DataError({
      code: 'E_DATASET_OTHER',
      where: root,
      what: `it looks like ${other.title}, not ${importer.title}`,
      fix: `Say --dataset ${other.name}`,
    });
  const more = problems.length > 1 ? `, and ${problems.length - 1} more` : '';
  const what =
    problem === undefined
      ? 'it holds nothing of this dataset'
      : `nothing can be imported (${problem.file}: ${problem.what}${more})`;
  return new DataError({ code: 'E_DATASET_NOT_FOUND', where: root, what, fix: expected });
}

/** The published dataset that a folder holds instead of the named one. */
export async function recognised(tree: FileTree, named: Importer): Promise<Importer | undefined> {
  for (const importer of importers) {
    if (importer === named || importer.organ === 'any' || importer.plainLayout === true) continue;
    const variant = importer.variants?.[0] ?? '';
    const scan = importer.scan({ protocol: 'strict', tree, variant, prompts: [], officialSplits: false });
    const found = await scan.catch(() => undefined);
    if (found !== undefined && found.records.length > found.problems.length) return importer;
  }
  return undefined;
}
