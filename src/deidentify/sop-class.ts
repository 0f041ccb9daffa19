import { DataError } from '../util/index.js';

const STORAGE = '1.2.840.10008.5.1.4.1.1';

/** SOP classes that are written, for one frame and for several: of ultrasound, also by its retired classes, and of screen captures. */
const IMAGES: Readonly<Record<string, readonly [one: string, several: string]>> = {
  [`${STORAGE}.3`]: [`${STORAGE}.3.1`, `${STORAGE}.3.1`],
  [`${STORAGE}.3.1`]: [`${STORAGE}.3.1`, `${STORAGE}.3.1`],
  [`${STORAGE}.6`]: [`${STORAGE}.6.1`, `${STORAGE}.3.1`],
  [`${STORAGE}.6.1`]: [`${STORAGE}.6.1`, `${STORAGE}.3.1`],
  [`${STORAGE}.7`]: [`${STORAGE}.7`, `${STORAGE}.7.4`],
  [`${STORAGE}.7.2`]: [`${STORAGE}.7`, `${STORAGE}.7.4`],
  [`${STORAGE}.7.3`]: [`${STORAGE}.7`, `${STORAGE}.7.4`],
  [`${STORAGE}.7.4`]: [`${STORAGE}.7`, `${STORAGE}.7.4`],
};

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
 * @returns the SOP class to write, given the number of frames.
 * @throws DataError naming the file and its kind.
 */
export function requireImageClass(uid: string | undefined, where: string): (frames: number) => string {
  const stated = uid === undefined || uid === '' ? `${STORAGE}.7` : uid;
  const classes = Object.hasOwn(IMAGES, stated) ? IMAGES[stated] : undefined;
  if (classes !== undefined) return (frames) => classes[frames > 1 ? 1 : 0];
  const known = REFUSED.find(([pattern]) => pattern.test(stated))?.[1];
  throw new DataError({
    code: 'E_DEIDENTIFY_KIND',
    where,
    what: `it is ${known ?? `of the SOP class ${/^[\d.]{1,64}$/.test(stated) ? stated : '(invalid)'}`}, which is not de-identified`,
    fix: 'Remove it from the folder, or de-identify it with a tool for its kind: ultrasound images, cine clips and screen captures are read',
  });
}
