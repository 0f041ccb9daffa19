import { DataError } from '../util/index.js';

/** Images that are written: of ultrasound, and captures of a screen. */
const IMAGES: ReadonlySet<string> = new Set([
  '1.2.840.10008.5.1.4.1.1.3',
  '1.2.840.10008.5.1.4.1.1.3.1',
  '1.2.840.10008.5.1.4.1.1.6',
  '1.2.840.10008.5.1.4.1.1.6.1',
  '1.2.840.10008.5.1.4.1.1.7',
  '1.2.840.10008.5.1.4.1.1.7.1',
  '1.2.840.10008.5.1.4.1.1.7.2',
  '1.2.840.10008.5.1.4.1.1.7.3',
  '1.2.840.10008.5.1.4.1.1.7.4',
]);

/** Objects that are refused by name: text, documents and references that no table of attributes makes anonymous. */
const REFUSED: readonly (readonly [uid: RegExp, name: string])[] = [
  [/^1\.2\.840\.10008\.1\.3\.10$/, 'the directory of a disc (DICOMDIR)'],
  [/^1\.2\.840\.10008\.5\.1\.4\.1\.1\.88\./, 'a structured report'],
  [/^1\.2\.840\.10008\.5\.1\.4\.1\.1\.104\.1$/, 'an encapsulated PDF'],
  [/^1\.2\.840\.10008\.5\.1\.4\.1\.1\.104\./, 'an encapsulated document or model'],
  [/^1\.2\.840\.10008\.5\.1\.4\.1\.1\.11\./, 'a presentation state'],
  [/^1\.2\.840\.10008\.5\.1\.4\.1\.1\.66\.4$/, 'a segmentation'],
  [/^1\.2\.840\.10008\.5\.1\.4\.1\.1\.66(\.|$)/, 'raw data or a registration'],
  [/^1\.2\.840\.10008\.5\.1\.4\.1\.1\.9\./, 'a waveform'],
  [/^1\.2\.840\.10008\.5\.1\.4\.1\.1\.6\.2$/, 'an enhanced ultrasound volume'],
  [/^1\.2\.840\.10008\.5\.1\.4\.1\.1\.77\./, 'a photograph or endoscopy'],
  [/^1\.2\.840\.10008\.5\.1\.4\.1\.1\.(1|2|4|12|20|128|481)(\.|$)/, 'an image of another modality'],
];

/**
 * Checks that a file is of a kind that can be de-identified.
 *
 * @param uid - its SOP class; old files lack one and count as screen captures.
 * @returns the SOP class to write.
 * @throws DataError naming the file and its kind.
 */
export function requireImageClass(uid: string | undefined, where: string): string {
  if (uid === undefined || uid === '') return '1.2.840.10008.5.1.4.1.1.7';
  if (IMAGES.has(uid)) return uid;
  const known = REFUSED.find(([pattern]) => pattern.test(uid))?.[1];
  throw new DataError({
    code: 'E_DEIDENTIFY_KIND',
    where,
    what: `it is ${known ?? `of the SOP class ${/^[\d.]{1,64}$/.test(uid) ? uid : '(invalid)'}`}, which is not de-identified`,
    fix: 'Remove it from the folder, or de-identify it with a tool for its kind: ultrasound images, cine clips and screen captures are read',
  });
}
