import { volumeSlices } from '../readers/volume-slices.js';
import type { Importer } from '../types.js';
import { path } from './common.js';

/** RegPro: transrectal volumes; the first label channel is the gland. */
export const regpro: Importer = {
  name: 'regpro',
  title: 'RegPro',
  // Not muRegPro, its official name: the published code uses that for MicroSeg.
  aliases: ['regpro-challenge'],
  organ: 'prostate',
  published: { count: 73, of: 'volumes' },
  source: 'https://doi.org/10.5281/zenodo.7870104',
  layout: '{train,val}/us_images/caseNNNNNN.nii.gz and {train,val}/us_labels/caseNNNNNN.nii.gz',
  officialSplits: 'train and val; its test split was never published',
  paper: { key: 'regpro', copies: true },
  scan: ({ tree, protocol }) =>
    volumeSlices(
      tree.files,
      {
        image: path('(?<split>train|val)/us_images/(?<id>[^/]+?)\\.nii(?:\\.gz)?$'),
        mask: path('(?<split>train|val)/us_labels/(?<id>[^/]+?)\\.nii(?:\\.gz)?$'),
        read: { as: 'bright', class: 'prostate' },
        placed: 'as-stored',
        frame: 0,
        split: (names) => names['split'] as 'train' | 'val',
      },
      protocol === 'paper',
    ),
};
