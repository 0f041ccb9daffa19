import { DataError } from './errors/index.js';

/** Maximum length of a name quoted in a message. */
const SHOWN = 80;

/**
 * Returns why an untrusted name must not be resolved below a folder, or undefined if it is safe. A backslash counts as a slash on
 * every system: a name that is safe here must also be safe wherever the file is read next.
 */
export function unsafeName(name: string): string | undefined {
  const shown = JSON.stringify(name.length > SHOWN ? `${name.slice(0, SHOWN)}…` : name);
  if (name.includes('\0')) return `the name ${shown} holds a NUL`;
  const steps = stepsOf(name);
  if (/^[\\/]/.test(name) || /^[a-z]:/i.test(name)) return `the name ${shown} is an absolute path`;
  if (steps.length === 0) return `the name ${shown} names no file`;
  // Windows drops trailing dots and spaces of a component: "... " means ".." there.
  if (steps.some((step) => /^\.\.[. ]*$/.test(step))) return `the name ${shown} leads out of its folder`;
  return undefined;
}

/**
 * Parses an untrusted name as a path below a folder.
 *
 * @param where - origin of the name, for the message: a file and the entry in it.
 * @returns the normalised name: separated by `/`, without empty components and `.`.
 * @throws DataError for an absolute path, a drive letter, a `..`, a NUL, and a name without any component.
 */
export function safeRelative(name: string, where: string): string {
  const what = unsafeName(name);
  if (what !== undefined)
    throw new DataError({ code: 'E_PATH_OUTSIDE', where, what, fix: 'Name files below the folder, with / between folders' });
  return stepsOf(name).join('/');
}

function stepsOf(name: string): string[] {
  return name.split(/[\\/]/).filter((step) => step !== '' && step !== '.');
}
