import { EXPLICIT } from '../imaging/index.js';
import type { DicomElement, DicomElements } from './elements.js';

/** Names this software as the writer: a UUID-derived UID (PS3.5, annex B.2), made once. */
export const IMPLEMENTATION = { uid: '2.25.219307465185213482912057731846913057391', name: 'SONOGROUND' } as const;

/** What a DICOM file holds besides pixels. */
export interface DicomHeaderParts {
  readonly sopClass: string;
  readonly sopInstance: string;
  /** In any order; a specific character set other than UTF-8 (ISO_IR 192) is not written. */
  readonly elements: DicomElements;
  /** Of the pixels. Default: Explicit VR Little Endian. */
  readonly transferSyntax?: string | undefined;
}

/** A DICOM file to encode in memory. */
export interface DicomParts extends DicomHeaderParts {
  /** Little-endian samples of Pixel Data, or packed bits. Default: none. */
  readonly pixels?: { readonly bytes: Uint8Array; readonly bitsAllocated: 1 | 8 | 16 } | undefined;
  /** Whether values may be longer than their VR allows, as some scanners write them. Default: false. */
  readonly anyLength?: boolean | undefined;
}

/** Encodes a file as Explicit VR Little Endian: an empty preamble, file meta information of its own, the elements, the pixels. */
export async function encodeDicom({ pixels, anyLength = false, ...parts }: DicomParts): Promise<Uint8Array> {
  const header = await encodeHeader(parts, anyLength);
  if (pixels === undefined) return header;
  const { bytes, bitsAllocated } = pixels;
  const length = bytes.length + (bytes.length % 2);
  const out = new Uint8Array(header.length + PIXEL_HEAD + length);
  out.set(header);
  out.set(pixelHead(bitsAllocated === 16 ? 16 : 8, length), header.length);
  out.set(bytes, header.length + PIXEL_HEAD);
  return out;
}

/** Encodes everything before the pixels. */
export async function encodeHeader(
  { sopClass, sopInstance, elements, transferSyntax = EXPLICIT }: DicomHeaderParts,
  anyLength = false,
): Promise<Uint8Array> {
  const { default: dcmjs } = await import('dcmjs');
  const uid = (value: string) => ({ vr: 'UI', Value: [value] });
  const file = new dcmjs.data.DicomDict({
    '00020001': { vr: 'OB', Value: [Uint8Array.from([0, 1]).buffer] },
    '00020002': uid(sopClass),
    '00020003': uid(sopInstance),
    '00020010': uid(transferSyntax),
    '00020012': uid(IMPLEMENTATION.uid),
    '00020013': { vr: 'SH', Value: [IMPLEMENTATION.name] },
  });
  file.dict = inOrder(elements);
  return new Uint8Array(file.write({ allowInvalidVRLength: anyLength }));
}

/** Elements in the order of their tags, also within items. */
function inOrder(elements: DicomElements): DicomElements {
  const tags = Object.keys(elements).sort();
  return Object.fromEntries(tags.map((tag) => [tag, itemsInOrder(elements[tag] as DicomElement)]));
}

function itemsInOrder(element: DicomElement): DicomElement {
  if (element.vr !== 'SQ') return element;
  return { vr: 'SQ', Value: element.Value.map((item) => (typeof item === 'object' ? inOrder(item) : item)) };
}

const PIXEL_HEAD = 12;

/** Tag, VR and length of Pixel Data (7FE0,0010). */
export function pixelHead(bitsAllocated: 8 | 16, length: number): Uint8Array {
  const head = Buffer.alloc(PIXEL_HEAD);
  head.writeUInt16LE(0x7fe0, 0);
  head.writeUInt16LE(0x0010, 2);
  head.write(bitsAllocated === 16 ? 'OW' : 'OB', 4, 'latin1');
  head.writeUInt32LE(length, 8);
  return head;
}
