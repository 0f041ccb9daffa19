import { nearest, UsageError } from '../../util/index.js';
import { adapters } from './adapters/index.js';
import type { Adapter } from './types.js';

/** Every dataset that can be imported, in the order of the paper's table. */
export { adapters };

/**
 * A dataset by its name, whatever the case, dashes and spaces.
 *
 * @throws UsageError with the nearest name.
 */
export function findAdapter(name: string): Adapter {
  const wanted = plain(name);
  const found = adapters.find((adapter) =>
    [adapter.name, adapter.title, ...adapter.aliases].some((own) => plain(own) === wanted),
  );
  if (found !== undefined) return found;
  const names = adapters.flatMap((adapter) => [adapter.name, ...adapter.aliases]);
  const near = nearest(plain(name), names);
  throw new UsageError({
    code: 'E_DATASET_UNKNOWN',
    where: '--dataset',
    what: `there is no dataset ${name}${near === undefined ? '' : `, did you mean ${near}?`}`,
    fix: `Known are ${adapters.map((adapter) => adapter.name).join(', ')}`,
  });
}

/** A dataset by its name, or nothing where there is none of that name. */
export function knownAdapter(name: string): Adapter | undefined {
  return adapters.find((adapter) => spellings(adapter).includes(plain(name)));
}

/** Whether a folder is called as a dataset, in any of the spellings of its name. */
export function isSpelling(folder: string, name: string, adapter: Adapter | undefined): boolean {
  return plain(folder) === plain(name) || (adapter !== undefined && spellings(adapter).includes(plain(folder)));
}

function spellings({ name, title, aliases }: Adapter): string[] {
  return [name, title, ...aliases].map(plain);
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[\s_-]+/g, '');
}
