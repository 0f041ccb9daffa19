/** An instance of a study, as an archive lists it. */
export interface StudyInstance {
  readonly study: string;
  readonly series: string;
  /** SOP Instance UID. */
  readonly uid: string;
  /** SOP Class UID; undefined where the archive does not state it. */
  readonly sopClass: string | undefined;
  readonly modality: string | undefined;
  /** In its series; 0 where the archive does not state it. */
  readonly number: number;
  /** Number of frames; 1 where the archive does not state it. */
  readonly frames: number;
}

/** Whether a text is a UID (PS3.5, 9.1). Its letters also make it a safe name of a file and a step of an address. */
export function isUid(text: string): boolean {
  return text.length <= 64 && /^\d+(\.\d+)+$/.test(text);
}

/** Ultrasound images and clips, retired and current. */
const ULTRASOUND = new Set([
  '1.2.840.10008.5.1.4.1.1.3',
  '1.2.840.10008.5.1.4.1.1.3.1',
  '1.2.840.10008.5.1.4.1.1.6',
  '1.2.840.10008.5.1.4.1.1.6.1',
]);

/** Secondary captures: of any modality. */
const CAPTURE = /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.7(\.[1-4])?$/;

/** Whether an instance is an ultrasound image or clip, or a capture in an ultrasound series. */
export function isUltrasound({ sopClass, modality }: StudyInstance): boolean {
  if (sopClass === undefined) return modality === 'US';
  return ULTRASOUND.has(sopClass) || (modality === 'US' && CAPTURE.test(sopClass));
}
