import { readFile } from 'node:fs/promises';
import { packageFile } from '../config/index.js';

/** The version of this package. */
export async function packageVersion(): Promise<string> {
  return (JSON.parse(await readFile(packageFile('package.json'), 'utf8')) as { readonly version: string }).version;
}
