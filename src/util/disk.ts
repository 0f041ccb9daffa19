import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** The mount point of a path's file system, for messages. The path need not exist. */
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
