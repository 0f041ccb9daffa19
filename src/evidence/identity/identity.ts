import type { DataSet } from 'dicom-parser';
import { Pseudonyms } from '../../deidentify/index.js';
import { type DicomElements, empty, one } from '../../dicom/index.js';
import { COPIED, keptFields } from './kept-fields.js';

/** Decides what outputs state of the patient and the study of their source. */
export interface Identity {
  /** Whether patient and study are copied from the source. */
  readonly kept: boolean;
  /** A UID of the source as outputs state it: unchanged if identity is kept, else another one, the same for the same UID. */
  referenced(uid: string): string;
  /** The UID of something new, the same for the same parts. */
  made(...parts: readonly string[]): string;
  /**
   * Patient, study, and the statement that identity was removed.
   *
   * @param set - the parsed elements of a source.
   * @throws DataError naming the file when its texts cannot be decoded.
   */
  patientAndStudy(set: DataSet, where: string): DicomElements;
}

/** UIDs of what is made are hashes; this key only keeps them apart from those of other programs. */
const OWN_KEY = Buffer.from('sonoground: UIDs of segmentations and reports');

/** Copies patient and study from the source, so that outputs join its study. */
export function keptIdentity(): Identity {
  const pseudonyms = new Pseudonyms(OWN_KEY);
  return {
    kept: true,
    referenced: (uid) => uid,
    made: (...parts) => pseudonyms.uid(parts.join('\0')),
    patientAndStudy: (set, where) => keptFields(set, where),
  };
}

/**
 * Replaces UIDs, the patient's name and identifier by keyed hashes, and empties all other fields of patient and study. With the key
 * of `deidentify`, outputs refer to the images that it wrote.
 *
 * @param key - at least 16 bytes. Default: a new random key.
 */
export function replacedIdentity(key?: Uint8Array): Identity {
  const pseudonyms = new Pseudonyms(key);
  return {
    kept: false,
    referenced: (uid) => pseudonyms.uid(uid),
    made: (...parts) => pseudonyms.uid(parts.join('\0')),
    patientAndStudy(set) {
      const text = (tag: string) => set.string(tag)?.trim() ?? '';
      // As `deidentify` chooses what identifies a patient.
      const study = text('x0020000d');
      const name = pseudonyms.name('patient', text('x00100020') || text('x00100010') || study);
      return {
        ...Object.fromEntries(COPIED.filter(({ required }) => required).map(({ tag, vr }) => [tag, empty(vr)])),
        '00100010': one('PN', name),
        '00100020': one('LO', name),
        '0020000D': one('UI', pseudonyms.uid(study)),
        '00120062': one('CS', 'YES'), // Patient Identity Removed
        '00120063': one('LO', 'sonoground: new UIDs, no field of patient or study copied'),
      };
    },
  };
}
