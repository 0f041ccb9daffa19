import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RuntimeError } from '../util/index.js';

/** The bundled page that comes with the package; the relative path is valid from both `src` and `dist`. */
const PAGE = fileURLToPath(new URL('../../dist/static-page/', import.meta.url));

/**
 * Copies the page that runs an exported graph model in a browser.
 *
 * @throws RuntimeError when it was not built.
 */
export async function copyStaticPage(to: string): Promise<void> {
  const names = await readdir(PAGE).catch((): string[] => []);
  if (!names.includes('index.html'))
    throw new RuntimeError({
      code: 'E_PAGE_NOT_BUILT',
      where: PAGE,
      what: 'the page was not built',
      fix: 'Its bundler is an optional package: `npm ci --include=optional` installs it, and the next command builds the page',
    });
  await mkdir(to, { recursive: true });
  for (const name of names) await copyFile(join(PAGE, name), join(to, name));
}
