import type { DataSet } from 'dicom-parser';
import { DataError } from '../../../util/index.js';

/** Segmentation Storage and Label Map Segmentation Storage. */
const SOP_CLASSES: Readonly<Record<string, 'binary' | 'labelmap'>> = {
  '1.2.840.10008.5.1.4.1.1.66.4': 'binary',
  '1.2.840.10008.5.1.4.1.1.66.7': 'labelmap',
};

/** A segment as its file describes it. */
interface SegmentDescription {
  readonly number: number;
  readonly label: string;
  /** What it shows: as described, else the meaning of its type. */
  readonly names: readonly string[];
}

/** What a frame of a segmentation shows. */
interface SegmentationFrame {
  /** Of a label map: all. */
  readonly segment: number | undefined;
  /** The images that it is of; frames from 0, 0 for an image of one. */
  readonly sources: readonly { readonly instance: string; readonly frame: number }[];
}

/** The header of a segmentation. */
export interface SegmentationHeader {
  readonly form: 'binary' | 'labelmap';
  readonly segments: readonly SegmentDescription[];
  readonly frames: readonly SegmentationFrame[];
  /** Whether references name frames of a clip. */
  readonly multiframe: boolean;
  /** Whether identity was removed, so that the instances are not those of the original images. */
  readonly identityRemoved: boolean;
}

/** The form of a segmentation, by the SOP class of a file; undefined for other files. */
export function segmentationForm(set: DataSet): 'binary' | 'labelmap' | undefined {
  return SOP_CLASSES[set.string('x00080016')?.trim() ?? ''];
}

/** @throws DataError naming the file for fractional segmentations, and those that do not say which image they are of. */
export function parseSegmentationHeader(set: DataSet, form: 'binary' | 'labelmap', where: string): SegmentationHeader {
  const refuse = (what: string, fix: string) => new DataError({ code: 'E_DICOM_REFERENCE', where, what, fix });
  const type = set.string('x00620001')?.trim() ?? '';
  if (type !== form.toUpperCase())
    throw new DataError({
      code: 'E_IMAGE_FORMAT',
      where,
      what: `it is a segmentation of the type ${type || '(none)'}; BINARY and LABELMAP are read`,
      fix: 'Export it as a binary segmentation',
    });
  const count = set.intString('x00280008') ?? 1;
  const groups = itemsOf(set, 'x52009230');
  const shared = itemsOf(set, 'x52009229')[0];
  if (groups.length !== count)
    throw refuse(`it says ${count} frames and describes ${groups.length}`, 'It is damaged: export it again');
  const segments = itemsOf(set, 'x00620002').map(segmentOf);
  const frames = groups.map((group) => frameOf(group, shared, form));
  const lost = frames.findIndex(({ sources }) => sources.length === 0);
  if (lost >= 0)
    throw refuse(
      `its frame ${lost + 1} names no image that it is of (Derivation Image Sequence), only a place in space`,
      'Export it with references to its images',
    );
  const unknown = frames.find(({ segment }) => form === 'binary' && !segments.some(({ number }) => number === segment));
  if (unknown !== undefined)
    throw refuse(
      `a frame shows segment ${unknown.segment ?? '(none)'}, which is not described`,
      'It is damaged: export it again',
    );
  const multiframe = groups.some((group) => sourceItems(group, shared).some((item) => item.elements['x00081160'] !== undefined));
  return { form, segments, frames, multiframe, identityRemoved: set.string('x00120062')?.trim() === 'YES' };
}

function segmentOf(set: DataSet): SegmentDescription {
  const text = (tag: string, from = set) => utf8(from, tag);
  const type = itemsOf(set, 'x0062000f')[0];
  const label = text('x00620005');
  const names = [text('x00620006'), label, type === undefined ? '' : text('x00080104', type)].filter((name) => name !== '');
  return { number: set.uint16('x00620004') ?? 0, label, names };
}

function frameOf(group: DataSet, shared: DataSet | undefined, form: 'binary' | 'labelmap'): SegmentationFrame {
  const identification = itemsOf(group, 'x0062000a')[0] ?? (shared && itemsOf(shared, 'x0062000a')[0]);
  const sources = sourceItems(group, shared).flatMap((item) => {
    const instance = item.string('x00081155')?.trim();
    if (instance === undefined) return [];
    const frames = (item.string('x00081160') ?? '1').split('\\').map((text) => Number(text.trim()) - 1);
    return frames.filter((frame) => Number.isInteger(frame) && frame >= 0).map((frame) => ({ instance, frame }));
  });
  return { segment: form === 'binary' ? identification?.uint16('x0062000b') : undefined, sources };
}

/** The images of a frame: its own, else those of all frames. */
function sourceItems(group: DataSet, shared: DataSet | undefined): DataSet[] {
  const derivation = itemsOf(group, 'x00089124');
  const items = derivation.length > 0 || shared === undefined ? derivation : itemsOf(shared, 'x00089124');
  return items.flatMap((item) => itemsOf(item, 'x00082112'));
}

function itemsOf(set: DataSet, tag: string): DataSet[] {
  return (set.elements[tag]?.items ?? []).flatMap(({ dataSet }) => (dataSet === undefined ? [] : [dataSet]));
}

/** ASCII and UTF-8, which most programs write. */
function utf8(set: DataSet, tag: string): string {
  const element = set.elements[tag];
  if (element === undefined) return '';
  const bytes = (set.byteArray as Uint8Array).subarray(element.dataOffset, element.dataOffset + element.length);
  return new TextDecoder().decode(bytes).replace(/\0+$/, '').trim();
}
