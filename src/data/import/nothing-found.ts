import { DataError } from '../../util/index.js';
import type { FileTree } from './file-tree.js';
import { adapters } from './registry.js';
import type { Adapter, Problem } from './types.js';

/** Says why there is nothing to import: archives that are packed, another dataset, or what is wrong. */
export function nothingFound(
  adapter: Adapter,
  { root, archives }: FileTree,
  problems: readonly Problem[],
  other: Adapter | undefined,
): DataError {
  const [packed] = archives;
  const [problem] = problems;
  const expected = `${adapter.title} is laid out as ${adapter.layout}; it comes from ${adapter.source}`;
  if (packed !== undefined)
    return new DataError({
      code: 'E_DATASET_PACKED',
      where: root,
      what: `${packed.relative} is still packed`,
      fix: `Unpack it. ${expected}`,
    });
  // What was found of the named dataset is said before what else the folder may be.
  if (other !== undefined && problem === undefined)
    return new DataError({
      code: 'E_DATASET_OTHER',
      where: root,
      what: `it looks like ${other.title}, not ${adapter.title}`,
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
export async function recognised(tree: FileTree, named: Adapter): Promise<Adapter | undefined> {
  for (const adapter of adapters) {
    if (adapter === named || adapter.organ === 'any' || adapter.plainLayout === true) continue;
    const variant = adapter.variants?.[0] ?? '';
    const scan = adapter.scan({ protocol: 'strict', tree, variant, prompts: [], officialSplits: false });
    const found = await scan.catch(() => undefined);
    if (found !== undefined && found.records.length > found.problems.length) return adapter;
  }
  return undefined;
}
