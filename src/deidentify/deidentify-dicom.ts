import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeDicomImage } from '../dicom/index.js';
import {
  type BinaryMask,
  blankOutside,
  DicomFile,
  type DicomSource,
  openDicomSource,
  parseDicomElements,
  type RasterImage,
  readImageFile,
  type StoredFrame,
} from '../imaging/index.js';
import { DataError } from '../util/index.js';
import { planPixels, sampledFrames } from './clean-pixels.js';
import { newHeader, type WrittenPixels } from './header.js';
import type { FileJob, RemovedAttributes, WrittenFile } from './job.js';
import { KEPT, KEPT_OF_GREY } from './kept.js';
import { type ConfidentialityProfile, isPrivate } from './profile.js';
import { parserTag } from './read-kept.js';
import { requireImageClass } from './sop-class.js';

/**
 * Writes a DICOM image or clip without identity.
 *
 * @throws DataError naming the file when it is damaged, of a refused kind, or shows no scan.
 */
export async function deidentifyDicom(bytes: Uint8Array, job: FileJob): Promise<WrittenFile> {
  const { source: file, pseudonyms, dates, to, name } = job;
  const { set, syntax } = await parseDicomElements(bytes, file);
  const classOf = requireImageClass(set.string('x00080016')?.trim(), file);
  const source = openDicomSource(set, syntax, file);
  const { frames, width, height } = source.header;
  const sopClass = classOf(frames);
  const looked = sampledFrames(frames);
  const shown = looked[looked.length >> 1] as number;
  const images: RasterImage[] = [];
  for (const frame of looked) images.push(await source.image(frame));
  const plan = planPixels(
    images,
    source.header.regions.map(({ box }) => box),
    job.blank,
    file,
  );
  const samples: StoredFrame[] = [];
  for (const frame of looked) samples.push(await source.stored(frame));
  const pixels = formOf(samples[0] as StoredFrame, source);
  const black = blackOf(samples, source);
  const fallback = createHash('sha256').update(bytes).digest('hex');
  const options = { pseudonyms, sopClass, dates, pixelsClean: plan.doubts.length === 0 };
  const header = newHeader(source, pixels, options, fallback);
  const path = `${header.patient}/${name}.dcm`;
  const parts = {
    sopClass,
    sopInstance: header.sopInstance,
    elements: header.elements,
    pixels: {
      bitsAllocated: pixels.bitsAllocated,
      bytesPerFrame: width * height * (pixels.kind === 'rgb' ? 3 : pixels.bitsAllocated / 8),
      frames,
      frame: async (i: number) => encoded(await source.stored(i), plan.kept, black, pixels.bitsAllocated),
    },
  };
  await writeDicomImage(join(to, path), parts, file);
  const after = await readBack(join(to, path), shown, plan.kept, file);
  return {
    path,
    kind: 'dicom',
    frames,
    looked: looked.length,
    plan,
    before: images[looked.indexOf(shown)] as RasterImage,
    after,
    removed: removedTags(source, job.profile),
  };
}

function formOf(first: StoredFrame, { header }: DicomSource): WrittenPixels {
  if (first.kind === 'rgb') return { kind: 'rgb', bitsAllocated: 8, bitsStored: 8 };
  return { kind: 'grey', bitsAllocated: header.bitsAllocated, bitsStored: first.bits };
}

/**
 * The stored value of black. Deep and signed values are displayed by their range, so the extreme of those in use serves; an
 * extreme of the type would take the contrast from all others.
 */
function blackOf(samples: readonly StoredFrame[], { header: { photometric, signed } }: DicomSource): number {
  const inverse = photometric === 'MONOCHROME1';
  let extreme = inverse ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  for (const frame of samples) {
    if (frame.kind === 'rgb') return 0;
    if (frame.bits <= 8 && !signed) return inverse ? 2 ** frame.bits - 1 : 0;
    for (const value of frame.values) extreme = inverse ? Math.max(extreme, value) : Math.min(extreme, value);
  }
  return inverse || signed ? extreme : Math.min(extreme, 0);
}

function encoded(frame: StoredFrame, kept: BinaryMask, black: number, bitsAllocated: 8 | 16): Uint8Array {
  blankOutside(frame.values, kept, frame.kind === 'rgb' ? 3 : 1, black);
  if (frame.kind === 'rgb') return frame.values;
  if (bitsAllocated === 8) return Uint8Array.from(frame.values);
  const out = new Uint8Array(2 * frame.values.length);
  for (const [i, value] of frame.values.entries()) {
    out[2 * i] = value & 255;
    out[2 * i + 1] = (value >> 8) & 255;
  }
  return out;
}

/** Reads an output as any other program would, checks that what is to be blank is of one colour, and gives one frame. */
async function readBack(path: string, shown: number, kept: BinaryMask, where: string): Promise<RasterImage> {
  try {
    const image = await (await DicomFile.parse(await readImageFile(path), path)).image(shown);
    requireBlank(image, kept, where);
    return image;
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

/** @throws DataError unless all pixels outside of a mask have one colour. */
export function requireBlank({ width, height, data }: RasterImage, kept: BinaryMask, where: string): void {
  const outside = kept.data.indexOf(0);
  const wrong = (width !== kept.width || height !== kept.height) && 'its size';
  const leaks =
    outside >= 0 &&
    kept.data.some((keep, i) => keep === 0 && [0, 1, 2].some((c) => data[3 * i + c] !== data[3 * outside + c])) &&
    'its blank part';
  const differs = wrong || leaks;
  if (differs === false) return;
  throw new DataError({
    code: 'E_DEIDENTIFY_UNVERIFIED',
    where,
    what: `its de-identified file was written and read back, and ${differs} differs`,
    fix: 'The output was removed. Report it with the kind of the file',
  });
}

/** The attributes of the source that the output lacks or replaces: tags of the standard, and the number of private ones. */
function removedTags({ set }: DicomSource, profile: ConfidentialityProfile): RemovedAttributes {
  const tags = Object.keys(set.elements).map((tag) => tag.slice(1).toUpperCase());
  const standard = tags.filter((tag) => !isPrivate(tag) && !(tag in KEPT) && !(tag in KEPT_OF_GREY) && !isForm(tag));
  return {
    attributes: standard,
    ofProfile: standard.filter((tag) => profile.action(tag) !== undefined).length,
    privateCount: tags.filter(isPrivate).length,
  };
}

/** File meta, the form of the pixels and the pixels: written newly for every file. */
function isForm(tag: string): boolean {
  return /^(0002|7FE0)/.test(tag) || /^0028(00(02|04|06|08|09|10|11)|010[0-3])$/.test(tag) || parserTag(tag) === 'x00080016';
}
