import { createHash } from 'node:crypto';
import { extname, resolve } from 'node:path';
import { imageStem } from '../../imaging/index.js';
import type { BatchImage, ImageSource } from '../../infer/index.js';

/** An image to be given an id. */
export interface FoundImage {
  readonly path: string;
  /** Relative to the requested folder, with slashes. */
  readonly below: string;
  /** See {@link BatchImage.source}. */
  readonly source?: ImageSource;
}

/** Maximum length of a name in bytes: of the 255 that file systems allow, the rest is for `_9999.png`. */
const MOST_BYTES = 240;

/** Hexadecimal digits of the hash that replaces a truncated suffix. */
const DIGITS = 16;

/**
 * Assigns each image an id: its path relative to the requested folder, without extension. If two ids collide, the extension is
 * added and, if that is not enough, a hash of the path. An id is also a file name: it never points outside a folder, and too long
 * a name is truncated, with a hash of the full name appended.
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
  return files.map((file) => {
    const { path, below, source } = file;
    return { path, id: ids.get(file) ?? `image-${hashOf(file)}`, fileName: below, ...(source && { source }) };
  });
}

/** File systems may ignore case and Unicode normalisation. */
function alike(id: string): string {
  return id.normalize('NFC').toLowerCase();
}

function idOf(below: string, addition = ''): string {
  const folders = below.split('/').slice(0, -1).filter(inFolder).map(asStep);
  const stem = asStep(imageStem(below));
  return [...folders, `${shortened(stem, MOST_BYTES - addition.length)}${addition}`].join('/');
}

/** A glob may leave the folder by `..`. */
function inFolder(step: string): boolean {
  return step !== '' && step !== '.' && step !== '..';
}

/** Replaces characters with a special meaning in paths on any system. */
function asStep(step: string): string {
  return step
    .replaceAll('\\', '_')
    .replaceAll('\0', '_')
    .replace(/^([a-z]):/i, '$1_')
    .replace(/^\.\.[. ]*$/, (dots) => '_'.repeat(dots.length));
}

/** Truncates between characters. */
function shortened(name: string, most: number): string {
  const bytes = Buffer.from(name);
  if (bytes.length <= most) return name;
  // A streaming decoder drops an incomplete final character.
  const begin = new TextDecoder().decode(bytes.subarray(0, most - DIGITS - 1), { stream: true });
  return `${begin}-${digest(name).slice(0, DIGITS)}`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
