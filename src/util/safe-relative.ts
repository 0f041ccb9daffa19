import { DataError } from './errors/index.js';

/** Characters of a name that a message repeats. */
const SHOWN = 80;

/**
 * Says why a name that was read from a file must not be followed below a folder, or nothing where it may be. A backslash counts
 * as a slash on every system, since files travel: a name that is safe here has to be safe where it is read next.
 */
export function unsafeName(name: string): string | undefined {
  const shown = JSON.stringify(name.length > SHOWN ? `${name.slice(0, SHOWN)}…` : name);
  if (name.includes('\0')) return `the name ${shown} holds a NUL`;
  const steps = stepsOf(name);
  if (/^[\\/]/.test(name) || /^[a-z]:/i.test(name)) return `the name ${shown} is an absolute path`;
  if (steps.length === 0) return `the name ${shown} names no file`;
  // Windows drops dots and spaces at the end of a step: "... " is ".." there.
  if (steps.some((step) => /^\.\.[. ]*$/.test(step))) return `the name ${shown} leads out of its folder`;
  return undefined;
}

/**
 * Reads a name from a file as a path below a folder.
 *
 * @param where - what says the name, for the message: a file and, of it, the entry.
 * @returns the name with `/` between its steps, without empty ones and `.`.
 * @throws DataError for an absolute path, a drive letter, a `..`, a NUL, and a name without any step.
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
