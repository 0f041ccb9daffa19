import { HubError } from './hub-error.js';

/** Whether a relative path stays below the folder that it is joined to, on every operating system. */
export function isSafePath(path: string): boolean {
  // A colon makes a drive or an alternate stream on Windows; a backslash is a separator there.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  if (path === '' || /[\\:\u0000-\u001f\u007f]/.test(path)) return false;
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

/**
 * Rejects a listing that names a file outside its folder.
 *
 * @throws HubError with the first such name.
 */
export function requireSafeNames(repo: string, names: readonly string[]): void {
  const bad = names.find((name) => !isSafePath(name));
  if (bad !== undefined)
    throw new HubError({
      code: 'E_PATH_OUTSIDE',
      where: repo,
      what: `expected names of files below the model's folder, the listing has ${JSON.stringify(bad)}`,
      fix: 'Nothing was written. Do not use this repository or this HF_ENDPOINT',
    });
}
