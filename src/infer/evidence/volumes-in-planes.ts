import { type PlaneVolume, readSourceInstance, type SourceInstance } from '../../evidence/index.js';
import { splitAddress } from '../../imaging/index.js';
import type { BatchImage } from '../batch/batch-image.js';
import type { VolumeResult } from '../batch/volumes.js';
import type { EvidenceSettings } from './evidence-settings.js';
import { frameOf } from './found-in-file.js';

/** A plane as a frame of a file. */
interface PlaneFile {
  readonly where: string;
  readonly image: BatchImage;
  /** From 0. */
  readonly frame: number;
}

/** A volume and the files of its planes. */
export interface VolumeInPlanes extends Omit<PlaneVolume, 'planes'> {
  readonly planes: readonly [longitudinal: PlaneFile, transverse: PlaneFile];
}

/** The volumes that were measured, with the files and frames of their planes. */
export async function volumesInPlanes(
  planes: readonly [BatchImage, BatchImage],
  volumes: readonly VolumeResult[],
): Promise<VolumeInPlanes[]> {
  const files = [await fileOf(planes[0]), await fileOf(planes[1])] as const;
  return volumes.flatMap(({ category, volume_ml: ml, diameters_mm: diametersMm, agreement }) =>
    ml === null || diametersMm === undefined || agreement === undefined
      ? []
      : [{ phrase: category, ml, diametersMm, agreement, planes: files }],
  );
}

async function fileOf(image: BatchImage): Promise<PlaneFile> {
  return { where: (await splitAddress(image.path)).file, image, frame: frameOf(image.fileName) };
}

/**
 * Volumes with what a report refers to.
 *
 * @param source - of the file with the first plane.
 * @param read - reads a DICOM file; undefined for other formats.
 * @returns the volumes, or why a report cannot have them.
 */
export async function reportedVolumes(
  volumes: readonly VolumeInPlanes[],
  source: SourceInstance,
  { identity }: Pick<EvidenceSettings, 'identity'>,
  read: (plane: PlaneFile) => Promise<Uint8Array | undefined>,
): Promise<readonly PlaneVolume[] | string> {
  const [first, second] = volumes[0]?.planes ?? [];
  if (first === undefined || second === undefined) return [];
  const bytes = second.where === first.where ? undefined : await read(second);
  if (second.where !== first.where && bytes === undefined)
    return `${second.where}: it is no DICOM file, so the report of the other plane has no volume; volumes.json has it`;
  const other = bytes === undefined ? source : await readSourceInstance(bytes, second.where, identity);
  if (other.study !== source.study)
    return `${second.where}: it is of another study than ${first.where}, so the report has no volume; volumes.json has it`;
  return volumes.map((volume) => ({
    ...volume,
    planes: [
      { source, frame: first.frame },
      { source: other, frame: second.frame },
    ],
  }));
}
