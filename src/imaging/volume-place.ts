import { readNiftiHeader } from './formats/nifti.js';
import type { VolumePlace } from './nrrd.js';

/**
 * The place of a NIfTI volume by its header; undefined where that does not state it.
 *
 * @param bytes - the file.
 * @throws DataError for a damaged header.
 */
export async function volumePlace(bytes: Uint8Array): Promise<VolumePlace | undefined> {
  const { affine } = await readNiftiHeader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  if (affine === undefined) return undefined;
  // NIfTI has the patient's right and anterior. Adding 0 turns -0 to 0.
  const column = (k: number) =>
    affine.map((row, i) => (i < 2 ? -(row[k] ?? 0) : (row[k] ?? 0)) + 0) as unknown as VolumePlace['origin'];
  return { directions: [column(0), column(1), column(2)], origin: column(3) };
}
