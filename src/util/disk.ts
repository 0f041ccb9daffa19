import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Where the disk that holds a path is mounted, for messages. The path need not be there. */
export function mountOf(path: string): string {
  let place = resolve(path);
  while (deviceOf(place) === undefined && dirname(place) !== place) place = dirname(place);
  const device = deviceOf(place);
  while (dirname(place) !== place && deviceOf(dirname(place)) === device) place = dirname(place);
  return place;
}

function deviceOf(path: string): number | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })?.dev;
  } catch {
    return undefined;
  }
}
