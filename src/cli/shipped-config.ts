import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** The package's own folder, seen from this file both in `src` and in `dist`. */
const PACKAGE = new URL('../../', import.meta.url);

/** A configuration that comes with the package, and what has to be overridden to use it from where we are. */
export interface ShippedConfig {
  readonly file: string;
  readonly overrides: readonly string[];
}

/**
 * Finds a configuration of the package whatever the working directory.
 *
 * @param name - as `configs/demo.yaml`.
 * @param folders - its keys that name folders of the package, and these folders.
 */
export async function shippedConfig(name: string, folders: Readonly<Record<string, string>>): Promise<ShippedConfig> {
  if ((await stat(name).catch(() => undefined)) !== undefined) return { file: name, overrides: [] };
  const place = (path: string) => fileURLToPath(new URL(path, PACKAGE));
  return { file: place(name), overrides: Object.entries(folders).map(([key, folder]) => `${key}=${place(folder)}`) };
}
