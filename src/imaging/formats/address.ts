import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { DataError } from '../../util/index.js';

/**
 * One picture of several in a file. Numbers begin at 0: `film.dcm#3` is the fourth frame, `scan.tif#1` the second page,
 * `volume.nii.gz#40` the 41st plane across the third stored axis; `#x40`, `#y40` and `#z40` name the axis, `#40t2` the third
 * volume of a file of several.
 */
export interface ImageAddress {
  readonly axis: 0 | 1 | 2 | undefined;
  readonly index: number;
  readonly frame: number | undefined;
  /** As it was written, `#` included. */
  readonly text: string;
}

const PART = /^(.+)#([xyz]?)(\d+)(?:t(\d+))?$/;

/** A name taken apart. A file that is really called so comes before a part of another. */
export async function splitAddress(name: string): Promise<{ readonly file: string; readonly part: ImageAddress | undefined }> {
  const [, file, axis, index, frame] = PART.exec(name) ?? [];
  if (file === undefined || (await isFile(name))) return { file: name, part: undefined };
  return { file, part: partOf(axis, index as string, frame, name.slice(file.length)) };
}

/**
 * The part of a file that is in memory, as it stands after `#` in a name: `3`, `x40`, `40t2`.
 *
 * @throws DataError when it is not such a part.
 */
export function parsePart(text: string): ImageAddress {
  const [, , axis, index, frame] = PART.exec(`image#${text}`) ?? [];
  if (index === undefined) {
    const fix = 'Give its number from 0, as in 3; of a volume also x40, y40, 40t2';
    throw new DataError({ code: 'E_PICTURE_NOT_FOUND', where: 'picture', what: `"${text}" names no picture of a file`, fix });
  }
  return partOf(axis, index, frame, `#${text}`);
}

function partOf(axis: string | undefined, index: string, frame: string | undefined, text: string): ImageAddress {
  return {
    axis: axis === undefined || axis === '' ? undefined : (['x', 'y', 'z'].indexOf(axis) as 0 | 1 | 2),
    index: Number(index),
    frame: frame === undefined ? undefined : Number(frame),
    text,
  };
}

async function isFile(name: string): Promise<boolean> {
  return (await stat(name).catch(() => undefined))?.isFile() === true;
}

/** What results of a picture are called: its file's name without folder and ending, the part set off by a line. */
export function imageStem(name: string): string {
  const [, file, axis, index, frame] = PART.exec(name) ?? [];
  const stem = basename(file ?? name)
    .replace(/\.gz$/i, '')
    .replace(/(?<=.)\.[^.]*[a-z][^.]*$/i, '');
  return file === undefined ? stem : `${stem}_${axis}${index}${frame === undefined ? '' : `t${frame}`}`;
}

/** The number of a frame or page, from an address that can name nothing else. */
export function plainIndex(part: ImageAddress, file: string): number {
  if (part.axis === undefined && part.frame === undefined) return part.index;
  throw new DataError({
    code: 'E_PICTURE_NOT_FOUND',
    where: `${file}${part.text}`,
    what: 'only volumes have axes',
    fix: `Write ${file}#${part.index}`,
  });
}

/** What is said of a file of several pictures of which none was named. */
export function severalImages(file: string, count: number, kind: string, example = '#0'): DataError {
  return new DataError({
    code: 'E_PICTURE_AMBIGUOUS',
    where: file,
    what: `it holds ${count} ${kind}`,
    fix: `Name one of them, as in ${file}${example}`,
  });
}

const DICOM_NAME = /\.(dcm|dicom|ima)$/i;

/** Whether a file is DICOM by its name, which old ones need who do not begin as such. */
export function isDicomName(file: string): boolean {
  return DICOM_NAME.test(file);
}

const ENDING = /\.(?=[^.]*[a-z])[a-z0-9]{1,5}$/i;

/** Whether a file's name has no ending. An ending has a letter in it: the last number of a UID is none. */
export function lacksEnding(file: string): boolean {
  return !ENDING.test(basename(file));
}
