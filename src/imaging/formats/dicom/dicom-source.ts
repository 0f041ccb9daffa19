import type { DataSet } from 'dicom-parser';
import { DataError } from '../../../util/index.js';
import type { RasterImage } from '../../raster-image.js';
import { beginsAsDicom } from './begins.js';
import { readDataSet } from './data-set.js';
import { type DicomHeader, parseDicomHeader } from './dicom-header.js';
import { findFrames } from './find-frames.js';
import { paletteOf } from './palette.js';
import { renderFrame, storedNumbers } from './render-frame.js';
import { unpackFrame } from './samples.js';
import { unreadableDicom } from './unreadable.js';

/** Stored values of a frame in a form that can be written without loss of meaning. */
export type StoredFrame =
  | { readonly kind: 'grey'; readonly values: Int32Array; readonly bits: number }
  | { readonly kind: 'rgb'; readonly values: Uint8Array };

/** A DICOM file opened to be written again. The encoded file is held in memory; frames are decoded on demand. */
export interface DicomSource {
  /** The parsed elements, identity included. */
  readonly set: DataSet;
  readonly header: DicomHeader;
  /** A frame as displayed. */
  image(frame: number): Promise<RasterImage>;
  /** A frame to store: grey values as they are; colours, also those of a palette or YCbCr, as RGB. */
  stored(frame: number): Promise<StoredFrame>;
}

/**
 * Parses a file's elements without decoding pixels.
 *
 * @throws DataError naming the file when it cannot be parsed.
 */
export async function parseDicomElements(
  bytes: Uint8Array,
  file: string,
): Promise<{ readonly set: DataSet; readonly syntax: string }> {
  try {
    return await readDataSet(bytes, MAX_INFLATED, file);
  } catch (cause) {
    throw cause instanceof DataError ? cause : unreadableDicom(file, cause);
  }
}

const MAX_INFLATED = 1e9;

/** The SOP instance UID of a DICOM file in memory; undefined for any other file. */
export async function instanceIn(bytes: Uint8Array, where: string): Promise<string | undefined> {
  if (!beginsAsDicom(bytes)) return undefined;
  return (await parseDicomElements(bytes, where)).set.string('x00080018')?.trim();
}

/**
 * Opens the images of parsed elements.
 *
 * @throws DataError naming the file when it is damaged, holds no image, more or fewer than stated, or one of an unsupported kind.
 */
export function openDicomSource(set: DataSet, syntax: string, file: string): DicomSource {
  try {
    const header = parseDicomHeader(set, syntax, file);
    const frames = findFrames(set, header, file);
    const palette = header.photometric === 'PALETTE COLOR' ? paletteOf(set, header.signed, file) : undefined;
    const samples = (frame: number) => unpackFrame(frames.bytes(frame), header, frames.sampling, file);
    const image = async (frame: number) => renderFrame(await samples(frame), header, palette, frame);
    return {
      set,
      header,
      image,
      async stored(frame) {
        if (header.samples === 3 || palette !== undefined) return { kind: 'rgb', values: (await image(frame)).data };
        const read = await samples(frame);
        // The packed stream knows its depth better than the header.
        return { kind: 'grey', values: storedNumbers(read, header), bits: Math.max(header.bitsStored, read.bits ?? 0) };
      },
    };
  } catch (cause) {
    throw cause instanceof DataError ? cause : unreadableDicom(file, cause);
  }
}
