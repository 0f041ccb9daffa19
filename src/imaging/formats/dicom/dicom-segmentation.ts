import type { DataSet } from 'dicom-parser';
import { DataError } from '../../../util/index.js';
import type { BinaryMask, Size } from '../../mask.js';
import type { LevelMap } from '../../mask-levels.js';
import { unionOfMasks } from '../../union-of-masks.js';
import { PIXELS, readDataSet } from './data-set.js';
import { parseDicomHeader } from './dicom-header.js';
import { findFrames } from './find-frames.js';
import { storedNumbers } from './render-frame.js';
import { unpackFrame } from './samples.js';
import { parseSegmentationHeader, type SegmentationHeader, segmentationForm } from './segmentation-header.js';
import { unreadableDicom } from './unreadable.js';

const MAX_INFLATED = 1e9;

/** The numbers of the segments at each pixel of a frame, or bits of one segment. */
type Plane = (index: number) => Promise<ArrayLike<number>>;

/** A DICOM segmentation as masks of the images that it is of. */
export class DicomSegmentation {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly header: SegmentationHeader;
  private readonly plane: Plane;

  private constructor(file: string, size: { width: number; height: number }, header: SegmentationHeader, plane: Plane) {
    this.file = file;
    this.width = size.width;
    this.height = size.height;
    this.header = header;
    this.plane = plane;
  }

  /**
   * @returns undefined if the file is no segmentation.
   * @throws DataError naming the file when it is damaged, fractional, or does not say which images it is of.
   */
  static async parse(bytes: Uint8Array, file: string): Promise<DicomSegmentation | undefined> {
    try {
      const { set, syntax } = await readDataSet(bytes, MAX_INFLATED, file);
      const form = segmentationForm(set);
      if (form === undefined) return undefined;
      const header = parseSegmentationHeader(set, form, file);
      const [height, width] = [set.uint16('x00280010') ?? 0, set.uint16('x00280011') ?? 0];
      const plane = form === 'binary' ? bits(set, width * height, header.frames.length, file) : numbers(set, syntax, file);
      return new DicomSegmentation(file, { width, height }, header, plane);
    } catch (cause) {
      throw cause instanceof DataError ? cause : unreadableDicom(file, cause);
    }
  }

  /**
   * Segments lie on the pixels of their image: they are never resized to another one.
   *
   * @throws DataError naming the file for an image of other rows and columns.
   */
  requireSize({ width, height }: Size): void {
    if (this.width === width && this.height === height) return;
    throw new DataError({
      code: 'E_MASK_SIZE',
      where: this.file,
      what: `it has ${this.width}x${this.height} pixels, its image ${width}x${height}`,
      fix: 'Take the segmentation of this image',
    });
  }

  /** The frames of the images that show a segment, from 0, in order. */
  shown(): number[] {
    const frames = this.header.frames.flatMap(({ sources }) => sources.map(({ frame }) => frame));
    return [...new Set(frames)].sort((a, b) => a - b);
  }

  /**
   * The frame that is meant where none is named: that of an image, or the only one of a clip that shows a segment.
   *
   * @throws DataError naming the file if there are several.
   */
  onlyFrame(): number {
    const [first = 0, second] = this.shown();
    if (second === undefined) return first;
    throw new DataError({
      code: 'E_FRAME_AMBIGUOUS',
      where: this.file,
      what: `it is of ${this.shown().length} frames of a clip`,
      fix: `Name one of them, as in ${this.file}#${first}`,
    });
  }

  /**
   * The segments on a frame. Of a frame that shows none, the masks are missing.
   *
   * @param instance - the image that it should be of. Default: the only one.
   * @throws DataError naming the file for another image, and for several of which none is named.
   */
  async masks(frame: number, instance?: string): Promise<{ readonly segment: number; readonly mask: BinaryMask }[]> {
    const { form, frames, segments } = this.header;
    const wanted = this.instance(instance);
    const masks = new Map<number, BinaryMask>();
    for (const [index, { segment, sources }] of frames.entries()) {
      if (!sources.some((source) => source.frame === frame && source.instance === wanted)) continue;
      const plane = await this.plane(index);
      const shown = form === 'binary' ? [segment as number] : segments.map(({ number }) => number).filter((number) => number > 0);
      for (const number of shown) {
        const inside = form === 'binary' ? 1 : number;
        const mask = masks.get(number) ?? this.blank();
        for (let i = 0; i < mask.data.length; i++) if (plane[i] === inside) mask.data[i] = 1;
        masks.set(number, mask);
      }
    }
    return [...masks].filter(([, { data }]) => data.includes(1)).map(([segment, mask]) => ({ segment, mask }));
  }

  /** All segments of a frame in one mask. */
  async union(frame: number, instance?: string): Promise<BinaryMask> {
    const found = await this.masks(frame, instance);
    return unionOfMasks([this.blank(), ...found.map(({ mask }) => mask)]);
  }

  /**
   * The number of the segment at each pixel of a frame, 0 outside.
   *
   * @throws DataError naming the file when segments overlap.
   */
  async levels(frame: number, instance?: string): Promise<LevelMap> {
    const levels = new Uint16Array(this.width * this.height);
    for (const { segment, mask } of await this.masks(frame, instance))
      for (let i = 0; i < levels.length; i++) {
        if (mask.data[i] === 0) continue;
        if (levels[i] !== 0)
          throw new DataError({
            code: 'E_MASK_VALUE',
            where: this.file,
            what: `its segments ${levels[i]} and ${segment} overlap on frame ${frame}, so that no number can stand for a pixel`,
            fix: 'Export each segment to a file of its own, or read all as one class',
          });
        levels[i] = segment;
      }
    return { width: this.width, height: this.height, levels, lossy: false, coloured: false };
  }

  /**
   * The identifier by which an image is referred to.
   *
   * @param asked - that of an image. Where identity was removed from the segmentation, it need not be equal.
   */
  private instance(asked: string | undefined): string {
    const all = [...new Set(this.header.frames.flatMap(({ sources }) => sources.map(({ instance }) => instance)))];
    const [only, other] = all;
    const fix = 'Take the segmentation of this image';
    if (asked !== undefined && all.includes(asked)) return asked;
    if (other !== undefined)
      throw new DataError({
        code: 'E_DICOM_REFERENCE',
        where: this.file,
        what: asked === undefined ? `it is of ${all.length} images` : `it is of ${all.length} images, and not of ${asked}`,
        fix: asked === undefined ? 'Export a segmentation for each image' : fix,
      });
    if (asked !== undefined && !this.header.identityRemoved)
      throw new DataError({
        code: 'E_DICOM_REFERENCE',
        where: this.file,
        what: `it is of the image ${only}, not of ${asked}`,
        fix,
      });
    return only ?? '';
  }

  private blank(): BinaryMask {
    return { width: this.width, height: this.height, data: new Uint8Array(this.width * this.height) };
  }
}

/** Frames of bits, eight to a byte from the lowest, without padding between frames. */
function bits(set: DataSet, pixels: number, frames: number, where: string): Plane {
  const element = set.elements[PIXELS];
  const bytes = set.byteArray as Uint8Array;
  const damaged = (what: string) =>
    new DataError({ code: 'E_IMAGE_DAMAGED', where, what, fix: 'It is damaged or cut off: copy or export it again' });
  if (set.uint16('x00280100') !== 1)
    throw damaged(`it has ${set.uint16('x00280100')} bits a sample, where a binary segmentation has 1`);
  if (element === undefined) throw damaged('it has no pixels');
  const wanted = Math.ceil((pixels * frames) / 8);
  const length = element.length === 0xffffffff ? -1 : Math.min(element.length, bytes.length - element.dataOffset);
  if (length < wanted || pixels === 0)
    throw damaged(length < 0 ? 'its bits are packed, which is not read' : `it has ${length} bytes of pixels for ${wanted}`);
  return async (index) => {
    const out = new Uint8Array(pixels);
    for (let i = 0; i < pixels; i++) {
      const at = index * pixels + i;
      out[i] = ((bytes[element.dataOffset + (at >> 3)] as number) >> (at & 7)) & 1;
    }
    return out;
  };
}

/** Frames of segment numbers, in any encoding without losses. */
function numbers(set: DataSet, syntax: string, where: string): Plane {
  // Colours, if any, are only for display.
  const header = { ...parseDicomHeader(set, syntax, where), photometric: 'MONOCHROME2' as const };
  const frames = findFrames(set, header, where);
  return async (index) => storedNumbers(await unpackFrame(frames.bytes(index), header, frames.sampling, where), header);
}
