import { DataError } from '../util/index.js';
import { type ImageAddress, isDicomName, plainIndex, splitAddress } from './formats/address.js';
import { decodeBmp, isBmp } from './formats/bmp.js';
import { beginsAsDicom } from './formats/dicom/begins.js';
import type { DicomSegmentation } from './formats/dicom/dicom-segmentation.js';
import { readImageFile } from './formats/image-file.js';
import { instanceOf, openKeptSegmentation, openSegmentation } from './formats/kept-segmentation.js';
import { checkOnly, samplesByLibrary } from './formats/library.js';
import { readNiftiHeader } from './formats/nifti.js';
import { turnOver } from './formats/nifti-turn.js';
import type { NiftiVolume, SliceAddress } from './formats/nifti-volume.js';
import { Recent } from './formats/recent.js';
import { decodeFrame, isVolumeName, listImages, openKeptVolume, planeAddress } from './formats/several.js';
import { addressOf, decodeDicom, nameOf } from './image.js';
import { type BinaryMask, type GreyMap, greyOfMask } from './mask.js';
import { type LevelMap, levelsOf } from './mask-levels.js';
import { type MaskRule, maskRule } from './mask-rule.js';
import type { RasterImage } from './raster-image.js';

/** Context of a mask file. */
export interface MaskOptions {
  /** The mask's image: of volumes the orientations are compared, of a DICOM segmentation the image that it is of. */
  readonly over?: string;
}

/**
 * Reads a mask as a grey image in which values from 128 are inside, by the common rule for all masks: {@link maskRule}. For a
 * file with several images, the rule is determined from all of them.
 *
 * @throws DataError naming the file when it cannot be read, when its levels are ambiguous, and when it is not blank but contains
 *   no pixel inside.
 */
export async function decodeGreyMask(source: string | Buffer, { over }: MaskOptions = {}): Promise<GreyMap> {
  const turned = typeof source === 'string' && over !== undefined ? await turnedPlane(source, over) : undefined;
  if (turned !== undefined) return volumeGreyMask(turned.volume, turned.address);
  const segmented = await segmentationMask(source, over);
  if (segmented !== undefined) return segmented;
  const plane = await decodeMaskLevels(source);
  return greyOf(plane, await ruleOf(source, plane), nameOf(source));
}

/** All segments of a DICOM segmentation as one mask; undefined for other files. */
async function segmentationMask(source: string | Buffer, over: string | undefined): Promise<GreyMap | undefined> {
  const { file, part } = await addressOf(source);
  const segmentation = await (typeof file === 'string' ? openKeptSegmentation(file) : openSegmentation(file, nameOf(file)));
  if (segmentation === undefined) return undefined;
  const { index, instance } = await frameOf(segmentation, part, over);
  return greyOfMask(await segmentation.union(index, instance));
}

/** The frame and the image that a segmentation is asked about: as named, else those of the image that it lies over. */
async function frameOf(segmentation: DicomSegmentation, part: ImageAddress | undefined, over: string | undefined) {
  const image = over === undefined ? undefined : await splitAddress(over);
  const frame = part ?? image?.part;
  const index = frame === undefined ? segmentation.onlyFrame() : plainIndex(frame, segmentation.file);
  return { index, instance: image && (await instanceOf(image.file)) };
}

/** Reads a mask: 1 inside, 0 outside, by {@link decodeGreyMask}. */
export async function decodeMask(source: string | Buffer): Promise<BinaryMask> {
  const grey = await decodeGreyMask(source);
  return { ...grey, data: grey.data.map((value) => Number(value >= 128)) };
}

/**
 * Reads the level of each pixel of a mask, at the file's own depth.
 *
 * @throws DataError as `decodeImage` does.
 */
export async function decodeMaskLevels(source: string | Buffer, { over }: MaskOptions = {}): Promise<LevelMap> {
  const { file, part } = await addressOf(source);
  if (typeof file === 'string') {
    if (isVolumeName(file)) {
      const volume = await openKeptVolume(file);
      return volumeLevels(volume, planeAddress(volume, file, part));
    }
    const segmentation = await openKeptSegmentation(file);
    if (segmentation !== undefined) {
      const { index, instance } = await frameOf(segmentation, part, over);
      return segmentation.levels(index, instance);
    }
    if (isDicomName(file)) return rasterLevels(await decodeFrame(undefined, file, part));
  }
  const bytes = await readImageFile(file);
  if (beginsAsDicom(bytes)) return rasterLevels(await decodeDicom(bytes, file, part));
  if (isBmp(bytes)) {
    checkOnly(part, nameOf(file));
    return rasterLevels(decodeBmp(bytes, nameOf(source)));
  }
  const samples = await samplesByLibrary(bytes, nameOf(file), part);
  const plane = levelsOf(samples);
  return samples.whiteFirst === true ? blackOutside(plane, nameOf(source)) : plane;
}

/** Minimum fraction of a mask's border covered by background: objects seldom reach it. */
const BORDER = 0.75;

/**
 * Resolves TIFFs that declare 0 as white. Some programs do so and display objects white; others store objects as 1 nevertheless,
 * which displays them black. The border of the mask shows which level is the background.
 */
function blackOutside(plane: LevelMap, where: string): LevelMap {
  const { width, height, levels } = plane;
  const white = levels instanceof Uint16Array ? 65535 : 255;
  let [black, other, all] = [0, 0, 0];
  for (let i = 0; i < levels.length; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    if (x > 0 && y > 0 && x < width - 1 && y < height - 1) continue;
    all += 1;
    if (levels[i] === 0) black += 1;
    if (levels[i] === white) other += 1;
  }
  if (black >= BORDER * all) return plane;
  if (other >= BORDER * all) return { ...plane, levels: levels.map((level) => white - level) };
  throw new DataError({
    code: 'E_MASK_VALUE',
    where,
    what: 'the mask is a TIFF whose 0 is white, and its border does not show which of black and white is the background',
    fix: 'Save it with black as 0',
  });
}

/** A slice of a label volume, read as by {@link decodeGreyMask}. */
export async function volumeGreyMask(volume: NiftiVolume, address: SliceAddress): Promise<GreyMap> {
  return greyOf(volumeLevels(volume, address), await volumeRule(volume), `${volume.file}#${address.index}`);
}

/** A slice of a label volume, reoriented to the volume that it belongs to; undefined if either is not a volume. */
async function turnedPlane(
  mask: string,
  image: string,
): Promise<{ readonly volume: NiftiVolume; readonly address: SliceAddress } | undefined> {
  const [own, other] = await Promise.all([splitAddress(mask), splitAddress(image)]);
  if (!isVolumeName(own.file) || !isVolumeName(other.file)) return undefined;
  const [volume, header] = await Promise.all([openKeptVolume(own.file), readNiftiHeader(other.file)]);
  const address = planeAddress(volume, own.file, own.part);
  return { volume, address: { ...address, turn: turnOver(header, volume.header, own.file) } };
}

/** The levels of a slice of a volume. */
export function volumeLevels(volume: NiftiVolume, address: SliceAddress): LevelMap {
  const { width, height, channels, values } = volume.slice(address);
  return levelsOf({ width, height, channels, values, lossy: false });
}

const rulesOfVolumes = new WeakMap<NiftiVolume, Promise<MaskRule>>();

function volumeRule(volume: NiftiVolume): Promise<MaskRule> {
  const known = rulesOfVolumes.get(volume);
  if (known !== undefined) return known;
  const rule = maskRule(function* () {
    for (let frame = 0; frame < volume.header.frames; frame++)
      for (let index = 0; index < volume.slices(); index++) yield volumeLevels(volume, { index, frame });
  }, volume.file);
  rulesOfVolumes.set(volume, rule);
  return rule;
}

/** The rule for all pages of a file, or all frames of a cine clip. */
const rulesOfFiles = new Recent(async (file) => {
  const pictures = await listImages(file);
  return maskRule(async function* () {
    for (const picture of pictures) yield decodeMaskLevels(picture);
  }, file);
});

async function ruleOf(source: string | Buffer, plane: LevelMap): Promise<MaskRule> {
  const { file, part } = await addressOf(source);
  if (typeof file !== 'string' || part === undefined) return maskRule(() => [plane], nameOf(source));
  return isVolumeName(file) ? volumeRule(await openKeptVolume(file)) : rulesOfFiles.get(file);
}

function greyOf({ width, height, levels }: LevelMap, rule: MaskRule, where: string): GreyMap {
  const data = new Uint8Array(width * height);
  if (rule.inside === 'nothing') return { width, height, data };
  const greyAt = (level: number) =>
    rule.inside === 'not-zero' ? 255 : Math.round((Math.min(rule.top, Math.max(0, level)) * 255) / rule.top);
  let [found, top] = [false, 0];
  let [before, grey] = [0, 0];
  for (let i = 0; i < data.length; i++) {
    const level = levels[i] as number;
    if (level === 0 || Number.isNaN(level)) continue;
    if (level !== before) {
      [before, grey] = [level, greyAt(level)];
      found ||= grey >= 128;
      top = Math.max(top, level);
    }
    data[i] = grey;
  }
  if (found || top === 0) return { width, height, data };
  throw new DataError({
    code: 'E_MASK_VALUE',
    where,
    what: `the mask is not blank, but its highest level, ${top}, is less than half of its file's, ${'top' in rule ? rule.top : ''}`,
    fix: 'Draw what is there, or make it 0',
  });
}

function rasterLevels({ width, height, data }: RasterImage): LevelMap {
  return levelsOf({ width, height, channels: 3, values: data, lossy: false });
}
