/** How many bytes of a file tell whether it is DICOM. */
export const DICOM_START = 1024;

/** Whether a file begins as DICOM files do, after a preamble of 128 bytes. */
export function isDicom(bytes: Uint8Array): boolean {
  return bytes.length > 132 && letters(bytes, 128, 4) === 'DICM';
}

/**
 * Whether a file is DICOM by its content: with the preamble, or, as old ones, beginning with their elements. Of those, four
 * in a row have to make sense, so that nothing else is taken for one.
 *
 * @param start - the first {@link DICOM_START} bytes, or all.
 */
export function beginsAsDicom(start: Uint8Array): boolean {
  return isDicom(start) || beginsWithElements(start, 4);
}

/** Media Storage Directory Storage, the SOP class of the file DICOMDIR. */
const DIRECTORY = '1.2.840.10008.1.3.10';

/** Whether a DICOM file is the list of others on a disc, which has no pictures. */
export function isDicomDirectory(start: Uint8Array): boolean {
  return new RegExp(`${DIRECTORY.replace(/\./g, '\\.')}(?![\\d.])`).test(letters(start, 0, Math.min(start.length, DICOM_START)));
}

/** Kinds of values whose length takes two bytes; that of others takes four, after two that are not used (PS3.5, 7.1.2). */
const SHORT = new Set('AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US'.split(' '));
const LONG = new Set('OB OD OF OL OV OW SQ SV UC UN UR UT UV'.split(' '));

/** The kinds of which the parser does not know that their length takes four bytes: the newer ones, and all that are still to come. */
export function isLongKind(vr: string): boolean {
  return /^[A-Z]{2}$/.test(vr) && !SHORT.has(vr);
}

/** Whether the element at a place names the kind of its value. */
export function namesItsKind(bytes: Uint8Array, at: number): boolean {
  const vr = letters(bytes, at + 4, 2);
  return SHORT.has(vr) || LONG.has(vr);
}

/** The last of the groups that describe a patient, an examination or a picture: what a file begins with. */
const LAST_GROUP = 0x40;

/** Whether elements of such groups follow each other in order, of sensible lengths. */
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
    // Sequences may be of a length that is not said: what was found before has to do.
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
