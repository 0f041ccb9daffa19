import type { DataSet } from 'dicom-parser';
import { type DicomHeader, openDicomSource, parseDicomElements } from '../imaging/index.js';
import { DataError } from '../util/index.js';
import type { Identity } from './identity/index.js';
import type { SourceInstance } from './types.js';

const [SOP_CLASS, SOP_INSTANCE, SERIES, STUDY] = [
  ['x00080016', 'SOP class UID'],
  ['x00080018', 'SOP instance UID'],
  ['x0020000e', 'series instance UID'],
  ['x0020000d', 'study instance UID'],
] as const;

/**
 * Reads the header of a DICOM image or clip that was segmented. Pixels are not decoded.
 *
 * @param where - names the file in errors.
 * @throws DataError naming the file when it cannot be parsed, holds no image, or lacks a UID that a reference needs.
 */
export async function readSourceInstance(bytes: Uint8Array, where: string, identity: Identity): Promise<SourceInstance> {
  const { set, syntax } = await parseDicomElements(bytes, where);
  const { header } = openDicomSource(set, syntax, where);
  return sourceInstance(set, header, where, identity);
}

function sourceInstance(set: DataSet, header: DicomHeader, where: string, identity: Identity): SourceInstance {
  const { width, height, frames } = header;
  const uid = ([tag, name]: readonly [string, string]) => {
    const value = set.string(tag)?.trim() ?? '';
    if (/^[\d.]{1,64}$/.test(value)) return value;
    throw new DataError({
      code: 'E_DICOM_REFERENCE',
      where,
      what: value === '' ? `it has no ${name}, by which a segmentation refers to it` : `its ${name} is invalid`,
      fix: 'Export it again from the scanner or the archive',
    });
  };
  const laterality = (set.string('x00200060') ?? set.string('x00200062') ?? '').trim();
  return {
    where,
    sopClass: uid(SOP_CLASS),
    sopInstance: identity.referenced(uid(SOP_INSTANCE)),
    series: identity.referenced(uid(SERIES)),
    study: identity.referenced(uid(STUDY)),
    rows: height,
    columns: width,
    frames,
    multiframe: set.elements['x00280008'] !== undefined && (frames > 1 || isMultiframeClass(uid(SOP_CLASS))),
    instanceNumber: instanceNumberOf(set),
    lossy: lossyOf(set, header),
    laterality: laterality === 'L' || laterality === 'R' ? laterality : undefined,
    patientAndStudy: identity.patientAndStudy(set, where),
  };
}

/** Ultrasound multi-frame, also by its retired class, and multi-frame screen captures. */
function isMultiframeClass(sopClass: string): boolean {
  return /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.(3(\.1)?|7\.[1-4])$/.test(sopClass);
}

function instanceNumberOf(set: DataSet): number {
  const number = Number((set.string('x00200013') ?? '').trim() || Number.NaN);
  return Number.isInteger(number) && number >= 0 && number < 2 ** 31 ? number : 1;
}

const METHODS = { jpeg: 'ISO_10918_1', 'jpeg-ls': 'ISO_14495_1', 'jpeg-2000': 'ISO_15444_1' } as const;

/** What the file states of lossy compression; of pixels that are packed with losses and state nothing, what can be computed. */
function lossyOf(set: DataSet, { packing, transferSyntax, width, height, frames, samples, bitsAllocated }: DicomHeader) {
  const list = (tag: string) =>
    (set.string(tag) ?? '')
      .split('\\')
      .map((value) => value.trim())
      .filter((value) => value !== '');
  const stated = list('x00282110')[0];
  const isLossy = stated === '01' || (stated === undefined && /\.4\.(50|51)$/.test(transferSyntax));
  if (!isLossy) return undefined;
  const ratios = list('x00282112')
    .map(Number)
    .filter((ratio) => ratio > 0 && Number.isFinite(ratio));
  const methods = list('x00282114').filter((method) => /^[A-Z0-9_ ]{1,16}$/.test(method));
  if (ratios.length > 0 && ratios.length === methods.length) return { ratios, methods };
  if (packing === 'native' || packing === 'rle') return { ratios: [], methods: [] };
  // Up to the end of the file: the packed frames, and little else.
  const bytes = (set.byteArray as Uint8Array).length - (set.elements['x7fe00010']?.dataOffset ?? 0);
  const plain = (width * height * frames * samples * bitsAllocated) / 8;
  return { ratios: [Number((plain / bytes).toPrecision(4))], methods: [METHODS[packing]] };
}
