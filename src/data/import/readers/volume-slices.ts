import { DataError } from '../../../util/index.js';
import type { TreeFile } from '../file-tree.js';
import type { Found, MaskReading, MaskSource, Problem, SourceRecord } from '../types.js';
import { type LabelPlan, planLabels } from './label-plan.js';
import { type MaskFolders, pairFiles } from './pairs.js';

/** A dataset of labelled NIfTI volumes: every slice along the third axis is an image. */
export type Volumes = Pick<MaskFolders, 'image' | 'mask' | 'key' | 'ignore' | 'name' | 'split'> & {
  readonly read: MaskReading;
  /** Label channel to use, if the dataset defines one; the others are ignored. */
  readonly frame?: number;
  /** Alignment of labels with their volume: as stored, the known convention of published sets, or as the headers state. */
  readonly placed: 'as-stored' | 'by-header';
};

/** Lists the slices of all volumes. Reads only headers, plus four-dimensional labels. */
export async function volumeSlices(files: readonly TreeFile[], rule: Volumes, transpose: boolean): Promise<Found> {
  const { pairs, problems: unpaired } = pairFiles(files, rule);
  const problems: Problem[] = [...unpaired];
  const records: SourceRecord[] = [];
  for (const { image, masks, names } of pairs) {
    const [labels, ...others] = masks as [TreeFile, ...TreeFile[]];
    for (const other of others)
      problems.push({ file: other.relative, what: `${labels.relative} is the labels of the same volume` });
    const plan = await planLabels(image.path, labels.path, rule).catch((error: unknown) => {
      if (!(error instanceof DataError)) throw error;
      problems.push({ file: error.where, what: error.what });
      return undefined;
    });
    if (plan === undefined) continue;
    const volume = rule.name?.(names) ?? [names['split'], names['id']].filter((name) => name !== undefined).join('-');
    const split = rule.split?.(names);
    const turned = transpose ? { transpose } : {};
    for (let time = 0; time < plan.times; time++)
      for (let slice = 0; slice < plan.slices; slice++) {
        const several = plan.times > 1;
        records.push({
          name: `${volume}-${several ? `t${String(time).padStart(3, '0')}-` : ''}${String(slice).padStart(3, '0')}`,
          image: { file: image.path, slice, ...(several ? { frame: time } : {}), ...turned },
          masks: plan.channels(time).map(({ frame, read }): MaskSource => {
            return { kind: 'file', file: labels.path, slice, ...framed(frame, plan), ...turned, read };
          }),
          group: volume,
          ...(split === undefined ? {} : { split }),
        });
      }
  }
  return { records, problems };
}

/** Mask address beyond the slice, where it differs from the defaults. */
function framed(frame: number | undefined, { turn }: LabelPlan): Pick<Extract<MaskSource, { kind: 'file' }>, 'frame' | 'turn'> {
  const upright = turn.axes.every((own, i) => own === i) && !turn.flipped.includes(true);
  return { ...(frame === undefined ? {} : { frame }), ...(upright ? {} : { turn }) };
}
