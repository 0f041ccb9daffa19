import { maskFolders } from '../readers/pairs.js';
import type { Importer } from '../types.js';
import { imageFile, path } from './common.js';

/** Mask values. No primary source confirms the assignment; this follows the paper. */
const CLASSES = { 1: 'malignant', 2: 'benign' } as const;

/** S1: masks with class numbers as values, which look black. */
export const s1: Importer = {
  name: 's1',
  title: 'S1',
  aliases: ['plos-s1', 's1data'],
  organ: 'breast',
  published: { count: 201, of: 'images' },
  source: 'https://doi.org/10.1371/journal.pone.0253202 (supplement S1)',
  layout: 'Data/TrainingDataSet/BreastTumourImages/N.jpg and Data/TrainingDataSet/General-1-channel-Labels/N.png',
  officialSplits: 'TrainingDataSet and TestingDataSet; some images of the former validate',
  paper: { key: 's1' },
  warning: () =>
    'S1 does not say which value of its masks is malignant; 1 is taken for malignant and 2 for benign, as in the paper',
  scan: async (options) => {
    const found = await maskFolders({
      image: imageFile('(?<split>training|testing)DataSet/(?:Test-General-1-)?BreastTumourImages/(?<id>[^/]+)'),
      mask: imageFile('(?<split>training|testing)DataSet/(?:Test-)?General-1-channel-Labels/(?<id>[^/]+)'),
      // The same labels in another form, and the authors' predictions.
      ignore: path('(?:(?:Test-)?Expanded-[^/]*|Segmentation_Results[^/]*)/'),
      read: () => ({ as: options.protocol === 'paper' ? 'top-value' : 'values', classes: CLASSES }),
      // The same number in both folders may be the same image.
      group: (names) => names['id'] as string,
      split: (names) => (names['split'] === 'testing' ? 'test' : undefined),
    })(options);
    if (options.officialSplits) return found;
    // The paper's 201 images are the training set.
    const training = /(?:^|[\\/])trainingdataset[\\/]/i;
    return { ...found, records: found.records.filter(({ image }) => training.test(image.file)) };
  },
};
