import { spawnSync } from 'node:child_process';

/** Why what needs a program is skipped; undefined where it is installed. */
export function programMissing(program: string, debianPackage: string): string | undefined {
  const { error } = spawnSync(program, ['--version'], { stdio: 'ignore' });
  return error === undefined ? undefined : `${program} is not installed (Debian: apt-get install ${debianPackage})`;
}

/** Runs a program, and gives what it printed. */
export function printedBy(program: string, ...args: readonly string[]): string {
  const { stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (error !== undefined) throw error;
  return `${stdout}${stderr}`;
}
