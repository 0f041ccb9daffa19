import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { DataError } from '../../util/index.js';

/**
 * One of several images in a file. Indices start at 0: `film.dcm#3` is the fourth frame, `scan.tif#1` the second page,
 * `volume.nii.gz#40` slice 40 along the third stored axis; `#x40`, `#y40` and `#z40` select the axis, `#40t2` the third volume of
 * a file with several.
 */
export interface ImageAddress {
  readonly axis: 0 | 1 | 2 | undefined;
  readonly index: number;
  readonly frame: number | undefined;
  /** As written, including `#`. */
  readonly text: string;
}

const PART = /^(.+)#([xyz]?)(\d+)(?:t(\d+))?$/;

/** Splits a name into file and address. An existing file whose name contains `#` takes precedence. */
export async function splitAddress(name: string): Promise<{ readonly file: string; readonly part: ImageAddress | undefined }> {
  const [, file, axis, index, frame] = PART.exec(name) ?? [];
  if (file === undefined || (await isFile(name))) return { file: name, part: undefined };
  return { file, part: partOf(axis, index as string, frame, name.slice(file.length)) };
}

/**
 * Parses an address within a file in memory, as written after `#` in a name: `3`, `x40`, `40t2`.
 *
 * @throws DataError when it is malformed.
 */
export function parsePart(text: string): ImageAddress {
  const [, , axis, index, frame] = PART.exec(`image#${text}`) ?? [];
  if (index === undefined) {
    const fix = 'Give its number from 0, as in 3; of a volume also x40, y40, 40t2';
    throw new DataError({
      code: 'E_FRAME_NOT_FOUND',
      where: 'frame',
      what: `"${text}" names no frame, page or slice of a file`,
      fix,
    });
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

/** The stem of result files: the file name without folder and extension, followed by an underscore and the address if any. */
export function imageStem(name: string): string {
  const [, file, axis, index, frame] = PART.exec(name) ?? [];
  const stem = basename(file ?? name)
    .replace(/\.gz$/i, '')
    .replace(/(?<=.)\.[^.]*[a-z][^.]*$/i, '');
  return file === undefined ? stem : `${stem}_${axis}${index}${frame === undefined ? '' : `t${frame}`}`;
}

/** The index of a frame or page, from an address without axis or volume. */
export function plainIndex(part: ImageAddress, file: string): number {
  if (part.axis === undefined && part.frame === undefined) return part.index;
  throw new DataError({
    code: 'E_FRAME_NOT_FOUND',
    where: `${file}${part.text}`,
    what: 'only volumes have axes',
    fix: `Write ${file}#${part.index}`,
  });
}

/** The error for a file of several images of which none was selected. */
export function severalImages(file: string, count: number, kind: string, example = '#0'): DataError {
  return new DataError({
    code: 'E_FRAME_AMBIGUOUS',
    where: file,
    what: `it holds ${count} ${kind}`,
    fix: `Name one of them, as in ${file}${example}`,
  });
}

const DICOM_NAME = /\.(dcm|dicom|ima)$/i;

/** Whether a file is DICOM by its name; needed for old files without the DICOM preamble. */
export function isDicomName(file: string): boolean {
  return DICOM_NAME.test(file);
}

const ENDING = /\.(?=[^.]*[a-z])[a-z0-9]{1,5}$/i;

/** Whether a file name lacks an extension. An extension contains a letter: the last number of a UID is not one. */
export function lacksEnding(file: string): boolean {
  return !ENDING.test(basename(file));
}
