import { volumeSlices } from '../readers/volume-slices.js';
import type { Importer } from '../types.js';
import { path } from './common.js';

/** MicroSeg: micro-ultrasound volumes; numbering restarts in the test split. */
export const microseg: Importer = {
  name: 'microseg',
  title: 'MicroSeg',
  aliases: ['muregpro', 'microsegnet', 'micro-ultrasound'],
  organ: 'prostate',
  published: { count: 75, of: 'volumes' },
  source: 'https://zenodo.org/records/10475293',
  layout:
    '{train,test}/micro_ultrasound_scans/microUS_train_NN.nii.gz and {train,test}/expert_annotations/expert_annotation_train_NN.nii.gz',
  officialSplits: 'train and test; some images of the former validate',
  paper: { key: 'muregpro' },
  warning: ({ protocol }) =>
    protocol === 'paper'
      ? 'in the published code slices of train and test overwrite each other by equal names; here they keep their own, so there are more files than in the paper'
      : undefined,
  scan: ({ tree, protocol }) =>
    volumeSlices(
      tree.files,
      {
        image: path('microUS_(?<split>train|test)_(?<id>\\d+)\\.nii(?:\\.gz)?$'),
        // Excludes the annotations by students and clinicians.
        mask: path('expert_annotation_(?<split>train|test)_(?<id>\\d+)\\.nii(?:\\.gz)?$'),
        read: { as: 'bright', class: 'prostate' },
        placed: 'as-stored',
        split: (names) => (names['split'] === 'test' ? 'test' : undefined),
      },
      protocol === 'paper',
    ),
};
