import { copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { calibratedSlice, decodeImage, encodePng, maskToPng, type RasterImage, readImageFile } from '../../imaging/index.js';
import { DataError, SonogroundError, writeFileAtomic } from '../../util/index.js';
import { sizeMisfit } from '../annotation-misfit.js';
import { type Fingerprint, fingerprintOf } from '../audit/index.js';
import { type Instance, paperInstances, strictInstances } from './objects/index.js';
import type { PaperRows, SourceRecord } from './types.js';
import { openVolume, transposed } from './volumes.js';

/** Options of a worker besides the record. */
export interface ProcessOptions {
  /** The output folder. */
  readonly to: string;
  /** Rows as in the published code; absent for whole objects. */
  readonly paper?: PaperRows;
  readonly stretch: boolean;
}

/** A record with the stem of its output files. */
export interface NamedRecord {
  readonly stem: string;
  /** The stem of its image, where it shares one with another record. Default: its own. */
  readonly imageStem?: string;
  readonly record: SourceRecord;
}

/** An object as written to the annotations. */
export interface ObjectEntry {
  readonly class: string;
  /** Left, top, width, height in pixels. */
  readonly bbox: readonly [number, number, number, number];
  readonly area: number;
  readonly maskFile: string;
}

/** The result of a record. */
export type RecordResult =
  | {
      readonly stem: string;
      readonly ok: true;
      readonly imageFile: string;
      readonly width: number;
      readonly height: number;
      readonly spacingMm?: readonly [number, number];
      readonly objects: readonly ObjectEntry[];
      /** For finding copies of the image; absent where rows are as in the published code. */
      readonly fingerprint?: Fingerprint;
      /** The mask of everything in the image, where rows are as in the published code. */
      readonly wholeMask?: string;
    }
  | { readonly stem: string; readonly ok: false; readonly file: string; readonly what: string };

/** Reads one record and writes its image and the mask of each object. Unusable data is returned as a failure, not thrown. */
export async function processRecord({ stem, imageStem, record }: NamedRecord, options: ProcessOptions): Promise<RecordResult> {
  try {
    const { picture, spacingMm } = await readImage(record);
    const size = { width: picture.width, height: picture.height };
    const misfit = record.stated && sizeMisfit(record.stated, size, record.stated.by);
    if (misfit !== undefined) throw new DataError({ code: 'E_MASK_SIZE', where: record.image.file, what: misfit });
    const instances = await (options.paper === undefined
      ? strictInstances(record, size, options)
      : paperInstances(record, size, options.paper));
    // Without a row, the published code has no copy of the image.
    const unused = options.paper !== undefined && instances.length === 0;
    const imageFile = unused ? '' : await writeImage(imageStem ?? stem, record, picture, options.to);
    const objects: ObjectEntry[] = [];
    for (const [k, instance] of instances.entries()) {
      const maskFile = `${stem}_${k}.png`;
      await writeFileAtomic(join(options.to, 'masks', maskFile), await maskToPng(instance.mask));
      objects.push(entryOf(instance, maskFile));
    }
    const spacing = ownSpacing(record, picture) ?? spacingMm;
    return {
      stem,
      ok: true,
      imageFile,
      ...size,
      objects,
      ...(options.paper === undefined ? { fingerprint: fingerprintOf(picture) } : {}),
      ...(spacing === undefined ? {} : { spacingMm: spacing }),
      ...(options.paper === undefined || instances.length === 0
        ? {}
        : { wholeMask: await writeWhole(stem, instances, options.to) }),
    };
  } catch (error) {
    // A full disk stops the import; a bad file does not.
    if (error instanceof DataError) return { stem, ok: false, file: error.where, what: error.what };
    if (error instanceof SonogroundError) throw error;
    if (error instanceof RangeError) return { stem, ok: false, file: record.image.file, what: error.message };
    throw error;
  }
}

/** Pixel size in millimetres of the actual image: a downsized image has larger pixels. */
function ownSpacing({ spacingMm, publishedSize }: SourceRecord, { width, height }: RasterImage): SourceRecord['spacingMm'] {
  if (spacingMm === undefined || publishedSize === undefined) return spacingMm;
  return [(spacingMm[0] * publishedSize[0]) / width, (spacingMm[1] * publishedSize[1]) / height];
}

function entryOf({ class: name, boxXyxyPx: [x0, y0, x1, y1], area }: Instance, maskFile: string): ObjectEntry {
  return { class: name, bbox: [x0, y0, x1 - x0, y1 - y0], area, maskFile };
}

async function readImage({
  image: { file, slice, frame, page, transpose },
}: SourceRecord): Promise<{ readonly picture: RasterImage; readonly spacingMm?: readonly [number, number] }> {
  if (slice === undefined) {
    const picture = await decodeImage(page === undefined ? file : `${file}#${page}`);
    return { picture, ...(picture.spacingMm === undefined ? {} : { spacingMm: picture.spacingMm }) };
  }
  const volume = await openVolume(file);
  const picture = calibratedSlice(volume, { index: slice, ...(frame === undefined ? {} : { frame }) });
  const { spacingMm } = picture;
  const turned = transpose === true ? transposed(picture) : picture;
  if (spacingMm === undefined) return { picture: turned };
  const [across, down] = transpose === true ? [spacingMm[1], spacingMm[0]] : spacingMm;
  return { picture: turned, spacingMm: [across, down] };
}

/** PNG and JPEG files are copied unchanged, whatever their extension; everything else becomes PNG. */
async function writeImage(stem: string, { image }: SourceRecord, picture: RasterImage, to: string): Promise<string> {
  const whole = image.slice === undefined && image.page === undefined;
  const ending = whole ? endingOf(await readImageFile(image.file)) : undefined;
  const name = `${stem}.${ending ?? 'png'}`;
  const path = join(to, 'images', name);
  if (ending === undefined) await writeFileAtomic(path, await encodePng(picture));
  else await copyAtomic(image.file, path);
  return name;
}

function endingOf(bytes: Buffer): 'png' | 'jpg' | undefined {
  if (bytes.readUInt32BE(0) === 0x89504e47) return 'png';
  return bytes.readUInt16BE(0) === 0xffd8 ? 'jpg' : undefined;
}

/** Copies via a temporary name, so that an interruption leaves no partial file. */
async function copyAtomic(from: string, to: string): Promise<void> {
  const temporary = join(dirname(to), `.${process.pid}-${Math.random().toString(36).slice(2)}.tmp`);
  await mkdir(dirname(to), { recursive: true });
  try {
    await copyFile(from, temporary);
    await rename(temporary, to);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw cause;
  }
}

async function writeWhole(stem: string, instances: readonly Instance[], to: string): Promise<string> {
  const [first, ...rest] = instances as readonly [Instance, ...Instance[]];
  const data = Uint8Array.from(first.mask.data);
  for (const { mask } of rest) for (let i = 0; i < data.length; i++) data[i] = (data[i] as number) | (mask.data[i] as number);
  const name = `${stem}_all.png`;
  await writeFileAtomic(join(to, 'masks', name), await maskToPng({ ...first.mask, data }));
  return name;
}
