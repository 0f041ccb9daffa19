import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** A tarball of this project, as npm describes it. */
export interface Packed {
  readonly tarball: string;
  readonly bytes: number;
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

/** Builds and packs this project. */
export function pack(dir: string): Packed {
  const args = [resolve('scripts', 'pack.mjs'), '--json', '--pack-destination', dir];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(stderr);
  const [{ filename, size, files }] = JSON.parse(stdout) as [{ filename: string; size: number; files: Packed['files'] }];
  return { tarball: join(dir, filename), bytes: size, files };
}

/** A project of somebody else, with nothing in it. */
export function emptyProject(parent: string): string {
  const project = mkdtempSync(join(parent, 'project-'));
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'mine', version: '9.9.9', type: 'module' }));
  return project;
}

/** Installs a tarball without npm or a network: unpacked as it is, among links to the packages of this checkout. */
export function installLinked(project: string, { tarball }: Packed): void {
  const modules = join(project, 'node_modules');
  mkdirSync(join(modules, '.bin'), { recursive: true });
  const own = join(modules, 'sonoground');
  mkdirSync(own);
  const { status, stderr } = spawnSync('tar', ['xzf', tarball, '-C', own, '--strip-components=1'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  for (const name of readdirSync('node_modules')) {
    // npm's own notes are of this checkout. Those of the set-up hold for what is linked.
    if (name === '.bin' || name === '.package-lock.json') continue;
    symlinkSync(resolve('node_modules', name), join(modules, name));
  }
  symlinkSync(join('..', 'sonoground', 'scripts', 'run.mjs'), join(modules, '.bin', 'sonoground'));
}

/** Where npm's launcher is in a project; run it with Node, as the shell would. */
export function launcher(project: string): string {
  return join(project, 'node_modules', '.bin', 'sonoground');
}
