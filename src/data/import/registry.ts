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
  const near = nearest(wanted, names);
  throw new UsageError({
    where: '--dataset',
    what: `there is no dataset ${name}${near === undefined ? '' : `, did you mean ${near}?`}`,
    fix: `Known are ${adapters.map((adapter) => adapter.name).join(', ')}`,
  });
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[\s_-]+/g, '');
}
