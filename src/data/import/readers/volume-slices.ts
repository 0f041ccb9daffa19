import { readNiftiHeader } from '../../../processing/index.js';
import { DataError } from '../../../util/index.js';
import type { TreeFile } from '../file-tree.js';
import type { Found, MaskReading, Problem, SourceRecord } from '../types.js';
import { type MaskFolders, pairFiles } from './pairs.js';

/** A dataset of NIfTI volumes with labels: every slice along the third axis is an image. */
export type Volumes = Pick<MaskFolders, 'image' | 'mask' | 'key' | 'ignore' | 'name' | 'part'> & {
  readonly read: MaskReading;
  /** Channel of the labels, where they have several. */
  readonly frame?: number;
};

/** Lists the slices of all volumes; only the headers are read. */
export async function volumeSlices(files: readonly TreeFile[], rule: Volumes, transpose: boolean): Promise<Found> {
  const { pairs, problems: unpaired } = pairFiles(files, rule);
  const problems: Problem[] = [...unpaired];
  const records: SourceRecord[] = [];
  for (const { image, masks, names } of pairs) {
    const [labels] = masks as [TreeFile];
    const slices = await commonSlices(image, labels).catch((error: unknown) => {
      if (!(error instanceof DataError)) throw error;
      problems.push({ file: error.where, what: error.what });
      return 0;
    });
    const volume = rule.name?.(names) ?? [names['part'], names['id']].filter((name) => name !== undefined).join('-');
    const part = rule.part?.(names);
    const turned = transpose ? { transpose } : {};
    for (let slice = 0; slice < slices; slice++)
      records.push({
        name: `${volume}-${String(slice).padStart(3, '0')}`,
        image: { file: image.path, slice, ...turned },
        masks: [
          {
            kind: 'file',
            file: labels.path,
            slice,
            ...(rule.frame === undefined ? {} : { frame: rule.frame }),
            ...turned,
            read: rule.read,
          },
        ],
        group: volume,
        ...(part === undefined ? {} : { part }),
      });
  }
  return { records, problems };
}

async function commonSlices(image: TreeFile, labels: TreeFile): Promise<number> {
  const [own, other] = await Promise.all([readNiftiHeader(image.path), readNiftiHeader(labels.path)]);
  const [a, b] = [own.shape.join(' x '), other.shape.join(' x ')];
  if (a === b) return own.shape[2];
  throw new DataError({ where: labels.path, what: `the labels are ${b} voxels, their volume is ${a}` });
}
