import type { Identity } from './identity.js';
import type { SourceInstance } from './types.js';

/**
 * Reads the header of a DICOM image or clip that was segmented.
 *
 * @throws DataError naming the file when it cannot be parsed, holds no image, or has no SOP instance UID.
 */
export async function readSourceInstance(_bytes: Uint8Array, _where: string, _identity: Identity): Promise<SourceInstance> {
  throw new Error('not yet');
}
