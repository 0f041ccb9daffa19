import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DataError, unreadableCode } from '../../util/index.js';
import { imageStem } from '../formats/address.js';
import { isUnnamedDicom } from '../formats/several.js';
import { decodeImage } from '../image.js';
import type { ClipSource } from './clip-source.js';

const FRAME = /\.(png|jpe?g|bmp|tiff?|webp|dcm|dicom|ima)$/i;

/** Gaps that a notice names one by one. */
const NAMED_GAPS = 5;

/**
 * A folder of numbered frames, such as `frame_0001.png`, in the order of their numbers. Files of other kinds are left out.
 *
 * @throws DataError when there is no numbered image, or their names are of several series.
 */
export async function folderClip(folder: string): Promise<ClipSource> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
    throw new DataError({
      code: unreadableCode(cause),
      where: folder,
      what: `it cannot be read (${cause.code})`,
      fix: 'Check the path',
      cause,
    });
  });
  const names = entries.filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name);
  const frames: string[] = [];
  for (const name of names)
    if (FRAME.test(name) || (await isUnnamedDicom(join(folder, name)).catch(() => false))) frames.push(name);
  if (frames.length === 0)
    throw new DataError({
      code: 'E_NO_IMAGES',
      where: folder,
      what: 'there is no frame here',
      fix: 'Name a clip, or a folder of numbered images such as frame_0001.png',
    });
  const others = names.length - frames.length;
  const notices = others === 0 ? [] : [`${folder}: ${others} file${others === 1 ? ' is' : 's are'} no image, and left out`];
  return framesClip(
    folder,
    frames.map((name) => join(folder, name)),
    notices,
  );
}

/**
 * A clip of image files, in the order of the last number in their names.
 *
 * @throws DataError when a name has no number, two have the same, or they differ otherwise.
 */
export async function framesClip(name: string, files: readonly string[], notices: readonly string[] = []): Promise<ClipSource> {
  const numbered = files.map((file) => numberedFile(name, file)).sort((a, b) => a.number - b.number);
  const [first] = numbered as [Numbered, ...Numbered[]];
  const other = numbered.find(({ series }) => series !== first.series);
  if (other !== undefined)
    throw frames(
      name,
      `it holds frames of several clips: ${basename(first.file)}, ${basename(other.file)}`,
      'Give each clip a folder of its own',
    );
  const twice = numbered.find(({ number }, i) => i > 0 && numbered[i - 1]?.number === number);
  if (twice !== undefined)
    throw frames(name, `two frames have the number ${twice.number}`, 'Name each frame once, in one format');
  const { width, height } = await decodeImage(first.file);
  return {
    name,
    frames: numbered.length,
    width,
    height,
    notices: [...notices, ...gapNotice(name, numbered)],
    address: (index) => numbered[index]?.file ?? `${name}#${index}`,
    decode: async (index) => ({ first: index, images: [await decodeImage((numbered[index] as Numbered).file)] }),
  };
}

interface Numbered {
  readonly file: string;
  readonly number: number;
  /** The name around the number. */
  readonly series: string;
}

function numberedFile(name: string, file: string): Numbered {
  const stem = imageStem(basename(file));
  const [, before, digits, after] = /^(.*?)(\d+)(\D*)$/.exec(stem) ?? [];
  if (digits === undefined)
    throw frames(
      name,
      `${basename(file)} has no number`,
      'Number the frames, as in frame_0001.png, and keep other images elsewhere',
    );
  return { file, number: Number(digits), series: `${before}…${after}` };
}

/** Names the numbers that are missing, where most follow one another at one distance. */
function gapNotice(name: string, numbered: readonly Numbered[]): string[] {
  const numbers = numbered.map(({ number }) => number);
  const steps = numbers.slice(1).map((number, i) => number - (numbers[i] as number));
  const step = Math.min(...steps);
  const gaps = steps.flatMap((own, i) => (own === step ? [] : [[numbers[i] as number, numbers[i + 1] as number] as const]));
  if (gaps.length === 0) return [];
  if (gaps.length > steps.length / 2) return [`${name}: the numbers of its frames are irregular: time between them is not equal`];
  const named = gaps.slice(0, NAMED_GAPS).map(([from, to]) => missing(from + step, to - step, step));
  const more = gaps.length > NAMED_GAPS ? ` and ${gaps.length - NAMED_GAPS} further gaps` : '';
  return [`${name}: frames are missing: ${named.join(', ')}${more}`];
}

function missing(from: number, to: number, step: number): string {
  return from >= to ? `${from}` : from + step === to ? `${from}, ${to}` : `${from} to ${to}`;
}

function frames(where: string, what: string, fix: string): DataError {
  return new DataError({ code: 'E_CLIP_FRAMES', where, what, fix });
}
