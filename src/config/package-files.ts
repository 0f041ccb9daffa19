import { stat } from 'node:fs/promises';
import { isAbsolute, join, normalize, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's folder; the relative path is the same from `src` and from `dist`. */
const PACKAGE = fileURLToPath(new URL('../../', import.meta.url));

/** Folders of the package whose files are accessible by name from any working directory. */
const SHIPPED: readonly string[] = ['configs', 'docs', 'examples', 'weights'];

/** The path of a file of this package; relative if the working directory is the package. */
export function packageFile(name: string): string {
  const path = join(PACKAGE, name);
  return resolve(name) === path ? name : path;
}

/** Whether a name such as `weights/nano-sam2` or `configs/stu.yaml` exists in this package. */
export async function isShipped(name: string): Promise<boolean> {
  if (isAbsolute(name)) return false;
  const [first, ...rest] = normalize(name).split(sep);
  return first !== undefined && SHIPPED.includes(first) && !rest.includes('..') && exists(join(PACKAGE, name));
}

/**
 * Locates a file or folder by a user-given name. The working directory takes precedence; names under `configs/`, `examples/`,
 * `weights/` or `docs/` are then searched in this package. Any other name is returned unchanged.
 */
export async function locateShipped(name: string): Promise<string> {
  if ((await exists(name)) || !(await isShipped(name))) return name;
  return packageFile(name);
}

/** Whether a file or folder exists. */
export async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
