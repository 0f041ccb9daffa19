import { nearest, UsageError } from '../../util/index.js';
import { importers } from './importers/index.js';
import type { Importer } from './types.js';

/** All importable datasets, in the order of the paper's table. */
export { importers };

/**
 * Finds an importer by dataset name, ignoring case, dashes and spaces.
 *
 * @throws UsageError suggesting the nearest name.
 */
export function findImporter(name: string): Importer {
  const wanted = plain(name);
  const found = importers.find((importer) =>
    [importer.name, importer.title, ...importer.aliases].some((own) => plain(own) === wanted),
  );
  if (found !== undefined) return found;
  const names = importers.flatMap((importer) => [importer.name, ...importer.aliases]);
  const near = nearest(plain(name), names);
  throw new UsageError({
    code: 'E_DATASET_UNKNOWN',
    where: '--dataset',
    what: `there is no dataset ${name}${near === undefined ? '' : `, did you mean ${near}?`}`,
    fix: `Known are ${importers.map((importer) => importer.name).join(', ')}`,
  });
}

/** Finds an importer by dataset name; undefined if there is none. */
export function knownImporter(name: string): Importer | undefined {
  return importers.find((importer) => spellings(importer).includes(plain(name)));
}

/** Whether a folder's name is a spelling of the dataset's name. */
export function isSpelling(folder: string, name: string, importer: Importer | undefined): boolean {
  return plain(folder) === plain(name) || (importer !== undefined && spellings(importer).includes(plain(folder)));
}

function spellings({ name, title, aliases }: Importer): string[] {
  return [name, title, ...aliases].map(plain);
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[\s_-]+/g, '');
}
