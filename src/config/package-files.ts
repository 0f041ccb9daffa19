import { stat } from 'node:fs/promises';
import { isAbsolute, join, normalize, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's own folder, seen from this file both in `src` and in `dist`. */
const PACKAGE = fileURLToPath(new URL('../../', import.meta.url));

/** Folders of the package whose files can be named from any working directory. */
const SHIPPED: readonly string[] = ['configs', 'docs', 'examples', 'weights'];

/** The path of a file of this package; as short as its name where the working directory is the package. */
export function packageFile(name: string): string {
  const path = join(PACKAGE, name);
  return resolve(name) === path ? name : path;
}

/** Whether a name such as `weights/nano-sam2` or `configs/stu.yaml` stands for a file or folder of this package. */
export async function isShipped(name: string): Promise<boolean> {
  if (isAbsolute(name)) return false;
  const [first, ...rest] = normalize(name).split(sep);
  return first !== undefined && SHIPPED.includes(first) && !rest.includes('..') && exists(join(PACKAGE, name));
}

/**
 * Finds a file or folder by the name that a person gave. What the working directory has comes first; a name under `configs/`,
 * `examples/`, `weights/` or `docs/` is then looked for in this package. Every other name stays as it is.
 */
export async function locateShipped(name: string): Promise<string> {
  if ((await exists(name)) || !(await isShipped(name))) return name;
  return packageFile(name);
}

/** Whether there is a file or folder. */
export async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
