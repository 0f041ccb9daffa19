import { volumeSlices } from '../readers/volume-slices.js';
import type { Importer, MaskReading } from '../types.js';
import { path } from './common.js';

/** Phrase of objects without `--prompt`. */
const UNNAMED = 'structure';

/** User-provided volumes with labels: every slice is an image; a volume stays in one split. */
export const nifti: Importer = {
  name: 'nifti',
  title: 'NIfTI volumes',
  aliases: ['nii', 'volumes'],
  organ: 'any',
  source: 'your own files',
  layout: 'images/NAME.nii.gz and labels/NAME.nii.gz (imagesTr/NAME_0000.nii.gz and labelsTr/NAME.nii.gz as well)',
  scan: async ({ tree, prompts }) => {
    const found = await volumeSlices(
      tree.files,
      {
        image: path('(?:images?(?:Tr|Ts)?|scans?|volumes?)/(?<id>[^/]+?)(?:_0000)?\\.nii(?:\\.gz)?$'),
        mask: path(
          '(?:labels?(?:Tr|Ts)?|masks?|segmentations?)/(?<id>[^/]+?)(?:[_-](?:seg|label|labels|mask))?\\.nii(?:\\.gz)?$',
        ),
        read: reading(prompts),
        placed: 'by-header',
      },
      false,
    );
    const note = `the labels are called "${UNNAMED}": say --prompt, once for each value 1, 2, …`;
    return prompts.length === 0 && found.records.length > 0 ? { ...found, notes: [note] } : found;
  },
};

/** A single name covers every non-zero value; several names stand for the values 1, 2, …. */
function reading(prompts: readonly string[]): MaskReading {
  if (prompts.length < 2) return { as: 'bright', class: prompts[0] ?? UNNAMED };
  return { as: 'values', classes: Object.fromEntries(prompts.map((name, i) => [i + 1, name])) };
}
