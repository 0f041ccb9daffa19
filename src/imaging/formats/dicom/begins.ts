/** Number of bytes that identify a DICOM file. */
export const DICOM_START = 1024;

/** Whether a file has the DICOM preamble of 128 bytes and its signature. */
export function isDicom(bytes: Uint8Array): boolean {
  return bytes.length > 132 && letters(bytes, 128, 4) === 'DICM';
}

/**
 * Whether a file is DICOM by its content: with the preamble or, as in old files, starting with data elements. Of those, four in a
 * row must be plausible, to exclude other formats.
 *
 * @param start - the first {@link DICOM_START} bytes, or all.
 */
export function beginsAsDicom(start: Uint8Array): boolean {
  return isDicom(start) || beginsWithElements(start, 4);
}

/** Media Storage Directory Storage, the SOP class of the file DICOMDIR. */
const DIRECTORY = '1.2.840.10008.1.3.10';

/** Whether a DICOM file is the directory of a disc, which has no images. */
export function isDicomDirectory(start: Uint8Array): boolean {
  return new RegExp(`${DIRECTORY.replace(/\./g, '\\.')}(?![\\d.])`).test(letters(start, 0, Math.min(start.length, DICOM_START)));
}

/** Value representations with a 2-byte length; the others have a 4-byte length after two reserved bytes (PS3.5, 7.1.2). */
const SHORT = new Set('AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US'.split(' '));
const LONG = new Set('OB OD OF OL OV OW SQ SV UC UN UR UT UV'.split(' '));

/** VRs with a 4-byte length unknown to the parser: the newer ones and any future ones. */
export function isLongKind(vr: string): boolean {
  return /^[A-Z]{2}$/.test(vr) && !SHORT.has(vr);
}

/** Whether the element at an offset has an explicit VR. */
export function namesItsKind(bytes: Uint8Array, at: number): boolean {
  const vr = letters(bytes, at + 4, 2);
  return SHORT.has(vr) || LONG.has(vr);
}

/** The last of the groups that describe a patient, examination or image; files start with these. */
const LAST_GROUP = 0x40;

/** Whether the file starts with elements of such groups, in order and of plausible lengths. */
function beginsWithElements(bytes: Uint8Array, count: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let [at, last] = [0, -1];
  for (let found = 0; found < count; found++) {
    if (at + 12 > bytes.length) return false;
    const [group, element] = [view.getUint16(at, true), view.getUint16(at + 2, true)];
    const tag = group * 65536 + element;
    if ((found === 0 && group !== 2 && group !== 8) || group > LAST_GROUP || tag <= last) return false;
    last = tag;
    const vr = letters(bytes, at + 4, 2);
    const [head, length] = SHORT.has(vr)
      ? [8, view.getUint16(at + 6, true)]
      : LONG.has(vr)
        ? [12, view.getUint32(at + 8, true)]
        : [8, view.getUint32(at + 4, true)];
    // A sequence may have undefined length: the elements before it must suffice.
    if (length === 0xffffffff) return found > 0;
    if (length % 2 === 1 || length > 65536) return false;
    at += head + length;
    if (at > bytes.length) return found + 1 >= count - 1;
  }
  return true;
}

function letters(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}
