import type { DicomElements } from '../dicom/index.js';

/** Decides what outputs keep of the patient. */
export interface Identity {
  /** Whether patient and study are copied from the source. */
  readonly kept: boolean;
  /** A UID as outputs state it: unchanged if identity is kept, else another one, the same for the same UID. */
  referenced(uid: string): string;
  /** The UID of something new, the same for the same parts. */
  made(...parts: readonly string[]): string;
  /** The attributes of patient and study modules, given the parsed elements of a source. */
  patientAndStudy(source: import('dicom-parser').DataSet): DicomElements;
}

/** Copies patient and study from the source, so that outputs join its study. */
export declare function keptIdentity(): Identity;

/**
 * Replaces UIDs, the patient's name and identifier by keyed hashes, and empties all other fields. With the key of `deidentify`,
 * outputs refer to the images that it wrote.
 *
 * @param key - at least 16 bytes. Default: a new random key.
 */
export declare function replacedIdentity(key?: Uint8Array): Identity;
