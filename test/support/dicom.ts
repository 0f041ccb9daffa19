import dcmjs from 'dcmjs';

/** Elements by tag (`00280010`): kind of value and values. */
type Elements = Record<string, { readonly vr: string; readonly Value: readonly unknown[] }>;

export const SYNTAX = {
  implicit: '1.2.840.10008.1.2',
  explicit: '1.2.840.10008.1.2.1',
  jpeg: '1.2.840.10008.1.2.4.50',
  jpegLs: '1.2.840.10008.1.2.4.80',
  jpeg2000: '1.2.840.10008.1.2.4.90',
  rle: '1.2.840.10008.1.2.5',
  mpeg: '1.2.840.10008.1.2.4.102',
} as const;

export interface DicomParts {
  readonly width: number;
  readonly height: number;
  /** Packed or native bytes of each frame. */
  readonly frames: readonly Uint8Array[];
  readonly syntax?: string;
  readonly photometric?: string;
  readonly samples?: 1 | 3;
  readonly bits?: number;
  readonly bitsAllocated?: 8 | 16;
  readonly signed?: boolean;
  readonly planar?: boolean;
  readonly more?: Elements;
  /** Elements of the file meta information. */
  readonly meta?: Elements;
}

/** A file written by dcmjs. */
export function dicom(parts: DicomParts): Buffer {
  const { width, height, frames, syntax = SYNTAX.explicit, photometric = 'MONOCHROME2', samples = 1, bits = 8 } = parts;
  const allocated = parts.bitsAllocated ?? (bits > 8 ? 16 : 8);
  const us = (value: number) => ({ vr: 'US', Value: [value] });
  const native = syntax === SYNTAX.explicit || syntax === SYNTAX.implicit;
  const joined = Buffer.concat(frames);
  const even = native ? [Buffer.concat([joined, Buffer.alloc(joined.length % 2)])] : frames.map((frame) => Buffer.from(frame));
  const dict = new dcmjs.data.DicomDict({
    '00020001': { vr: 'OB', Value: [Uint8Array.from([0, 1]).buffer] },
    '00020002': { vr: 'UI', Value: ['1.2.840.10008.5.1.4.1.1.3.1'] },
    '00020003': { vr: 'UI', Value: ['1.2.3.4'] },
    '00020010': { vr: 'UI', Value: [syntax] },
    '00020012': { vr: 'UI', Value: ['1.2.3'] },
    ...parts.meta,
  });
  dict.dict = {
    '00080016': { vr: 'UI', Value: ['1.2.840.10008.5.1.4.1.1.3.1'] },
    '00080018': { vr: 'UI', Value: ['1.2.3.4'] },
    '00280002': us(samples),
    '00280004': { vr: 'CS', Value: [photometric] },
    ...(samples === 3 ? { '00280006': us(Number(parts.planar ?? false)) } : {}),
    ...(frames.length > 1 ? { '00280008': { vr: 'IS', Value: [frames.length] } } : {}),
    '00280010': us(height),
    '00280011': us(width),
    '00280100': us(allocated),
    '00280101': us(bits),
    '00280102': us(bits - 1),
    '00280103': us(Number(parts.signed ?? false)),
    ...parts.more,
    '7FE00010': { vr: native && allocated === 16 ? 'OW' : 'OB', Value: even.map((bytes) => Uint8Array.from(bytes).buffer) },
  };
  return Buffer.from(dict.write({ allowInvalidVRLength: true, fragmentMultiframe: false }));
}
