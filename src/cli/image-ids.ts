import { createHash } from 'node:crypto';
import { extname, resolve } from 'node:path';
import { imageStem } from '../imaging/index.js';
import type { BatchImage } from '../infer/index.js';

/** A picture on its way to an id. */
export interface FoundImage {
  readonly path: string;
  /** Below the folder that was asked for, with slashes. */
  readonly below: string;
}

/** Bytes of a name, of the 255 that file systems allow, that leave room for `_9999.png`. */
const MOST_BYTES = 240;

/** Hexadecimal digits of the hash that stands for what was cut off. */
const DIGITS = 16;

/**
 * Gives each picture an id: its path below what was asked for, without its ending. Where two would share one, the ending is
 * added, and where that does not help, a hash of the path. An id also names files: it does not lead out of a folder, and a name
 * that is too long for that is cut, with a hash of the whole of it at its end.
 */
export function namedImages(files: readonly FoundImage[]): BatchImage[] {
  const hashOf = ({ path }: FoundImage) => digest(resolve(path));
  const tries = [
    ({ below }: FoundImage) => idOf(below),
    ({ below }: FoundImage) => idOf(below, `-${extname(below).slice(1).replace(/#.*/, '')}`),
    (file: FoundImage) => idOf(file.below, `-${hashOf(file).slice(0, 8)}`),
    (file: FoundImage) => idOf(file.below, `-${hashOf(file)}`),
  ];
  const ids = new Map<FoundImage, string>();
  for (const tried of tries) {
    const open = files.filter((file) => !ids.has(file)).map((file) => [file, tried(file)] as const);
    const counts = new Map<string, number>();
    for (const key of [...open.map(([, id]) => alike(id)), ...[...ids.values()].map(alike)])
      counts.set(key, (counts.get(key) ?? 0) + 1);
    for (const [file, id] of open) if (counts.get(alike(id)) === 1) ids.set(file, id);
  }
  return files.map((file) => ({ path: file.path, id: ids.get(file) ?? `image-${hashOf(file)}`, fileName: file.below }));
}

/** File systems may not tell capitals apart, nor two ways to write a letter with its accent. */
function alike(id: string): string {
  return id.normalize('NFC').toLowerCase();
}

function idOf(below: string, addition = ''): string {
  const folders = below.split('/').slice(0, -1).filter(inFolder).map(asStep);
  const stem = asStep(imageStem(below));
  return [...folders, `${shortened(stem, MOST_BYTES - addition.length)}${addition}`].join('/');
}

/** A glob may climb to a neighbour by `..`. */
function inFolder(step: string): boolean {
  return step !== '' && step !== '.' && step !== '..';
}

/** What has a meaning in a path, on one system or another, has none in an id. */
function asStep(step: string): string {
  return step
    .replaceAll('\\', '_')
    .replace(/^([a-z]):/i, '$1_')
    .replace(/^\.\.[. ]*$/, (dots) => '_'.repeat(dots.length));
}

/** Cuts between two characters. */
function shortened(name: string, most: number): string {
  const bytes = Buffer.from(name);
  if (bytes.length <= most) return name;
  // A decoder that waits for more leaves a part of a character out.
  const begin = new TextDecoder().decode(bytes.subarray(0, most - DIGITS - 1), { stream: true });
  return `${begin}-${digest(name).slice(0, DIGITS)}`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
