import { DataError } from '../../../util/index.js';

/** Wraps what the parser throws: strings, errors and records of both. */
export function unreadableDicom(where: string, cause: unknown): DataError {
  const text = String((cause as { exception?: unknown }).exception ?? cause);
  const cut = /past end|past the end|beyond|overrun|EOF|buffer length/i.test(text);
  const what = cut ? 'it is damaged or cut off' : 'it cannot be read as DICOM';
  return new DataError({
    code: cut ? 'E_IMAGE_DAMAGED' : 'E_IMAGE_UNREADABLE',
    where,
    what,
    fix: 'Copy or export it again',
    cause,
  });
}
