import { Rng } from '../../../../src/util/index.js';
import { nifti } from '../../../support/nifti.js';
import { type Box, mask, put, scan } from './draw.js';
import type { Expected, Miniature } from './types.js';

const TEN = Array.from({ length: 10 }, (_, i) => i);
const four = (n: number) => String(n).padStart(4, '0');

/** Boxes on a grid of 8 pixels, so that JPEG keeps their edges. */
const nodule = (n: number): Box => [8, 8 * (1 + (n % 2)), 24, 24];

/** JPEG masks with rings, numbers that restart in the test split, a second nodule. */
export const tn3k: Miniature = {
  dataset: 'TN3K',
  write: async (dir) => {
    for (const split of ['trainval', 'test'])
      for (const n of TEN.slice(0, 6)) {
        await put(dir, `tn3k/${split}-image/${four(n)}.jpg`, await scan(80, 64, 110000 + n + split.length * 100, 'jpg'));
        const boxes = n === 3 ? [nodule(n), [48, 16, 24, 32] as const] : [nodule(n)];
        await put(dir, `tn3k/${split}-mask/${four(n)}.jpg`, await mask(80, 64, boxes, 'jpg'));
      }
    await put(dir, 'tn3k/tn3k-trainval-fold0.json', '{"train": [0, 1, 2, 3], "val": [4, 5]}');
    await put(dir, 'tn3k/label4trainval.csv', '0000.jpg,0\n');
  },
  images: Object.fromEntries(
    ['trainval', 'test'].flatMap((split) =>
      TEN.slice(0, 6).map((n): [string, Expected[]] => [
        `tn3k/${split}-image/${four(n)}.jpg`,
        [['thyroid nodule', ...nodule(n)], ...(n === 3 ? [['thyroid nodule', 48, 16, 24, 32] as const] : [])],
      ]),
    ),
  ),
  paper: { rows: 14, files: 14, phrases: ['thyroid nodule'] },
};

/** Frames of videos. */
export const tg3k: Miniature = {
  dataset: 'TG3K',
  write: async (dir) => {
    for (const n of TEN) {
      await put(dir, `tg3k/thyroid-image/${four(n)}.jpg`, await scan(80, 64, 111000 + n, 'jpg'));
      await put(dir, `tg3k/thyroid-mask/${four(n)}.jpg`, await mask(80, 64, [nodule(n)], 'jpg'));
    }
    await put(dir, 'tg3k/tg3k-trainval.json', `{"train": [0, 1, 2, 3, 4, 5, 6, 7], "val": [8, 9]}`);
  },
  images: Object.fromEntries(
    TEN.map((n): [string, Expected[]] => [`tg3k/thyroid-image/${four(n)}.jpg`, [['thyroid gland', ...nodule(n)]]]),
  ),
  paper: { rows: 10, files: 10, phrases: ['thyroid tumor'] },
};

/** Upper-case endings; whole images beside those cut out around the nodule. */
export const tnscui: Miniature = {
  dataset: 'TNSCUI',
  unseen: true,
  write: async (dir) => {
    for (const n of TEN.slice(0, 5)) {
      await put(dir, `DDTI/1_or_data/image/${n}.PNG`, await scan(80, 64, 112000 + n));
      await put(dir, `DDTI/1_or_data/mask/${n}.PNG`, await mask(80, 64, [nodule(n)]));
      for (const stage of ['stage1', 'stage2']) {
        await put(dir, `DDTI/2_preprocessed_data/${stage}/p_image/${n}.PNG`, await scan(64, 64, 112000 + n + 50));
        await put(dir, `DDTI/2_preprocessed_data/${stage}/p_mask/${n}.PNG`, await mask(64, 64, [[16, 16, 32, 32]]));
      }
    }
    await put(dir, 'DDTI/1_or_data/category.csv', 'ID,CATE\n0.PNG,1\n');
  },
  images: Object.fromEntries(
    TEN.slice(0, 5).map((n): [string, Expected[]] => [`DDTI/1_or_data/image/${n}.PNG`, [['thyroid nodule', ...nodule(n)]]]),
  ),
  paper: { rows: 5, files: 5, phrases: ['thyroid nodule'] },
};

/** Names that are paired by their number. */
export const us105: Miniature = {
  dataset: '105US',
  write: async (dir) => {
    for (const n of TEN) {
      const name = String(n + 1).padStart(3, '0');
      await put(dir, `105 US Images/${name}.png`, await scan(50, 40, 113000 + n));
      await put(dir, `105 US Masks/${name} G man.png`, await mask(50, 40, [[5 + n, 6, 12, 9]]));
    }
  },
  images: Object.fromEntries(
    TEN.map((n): [string, Expected[]] => [
      `105 US Images/${String(n + 1).padStart(3, '0')}.png`,
      [['pancreatic cancer liver metastases', 5 + n, 6, 12, 9]],
    ]),
  ),
  paper: { rows: 10, files: 10, phrases: ['pancreatic cancer liver metastases'] },
};

/** Outlines as JSON, numbers that restart in each class, a class folder within its own name. */
export const aul: Miniature = {
  dataset: 'AUL',
  write: async (dir) => {
    for (const label of ['Benign', 'Malignant', 'Normal'])
      for (const n of TEN.slice(1, 6)) {
        const folder = `${label}/${label}`;
        await put(dir, `${folder}/image/${n}.jpg`, await scan(60, 48, 114000 + n + label.charCodeAt(0) * 100, 'jpg'));
        const outline = [
          [4 + n, 6],
          [24 + n, 6],
          [24 + n, 21.5],
          [4 + n, 21.5],
        ];
        await put(dir, `${folder}/segmentation/liver/${n}.json`, '[[0, 0], [59, 0], [59, 47]]');
        await put(dir, `${folder}/segmentation/outline/${n}.json`, '[[0, 0], [59, 0], [59, 47]]');
        if (label !== 'Normal') await put(dir, `${folder}/segmentation/mass/${n}.json`, JSON.stringify(outline));
      }
  },
  images: Object.fromEntries(
    ['Benign', 'Malignant', 'Normal'].flatMap((label) =>
      TEN.slice(1, 6).map((n): [string, Expected[]] => [
        `${label}/${label}/image/${n}.jpg`,
        label === 'Normal' ? [] : [[label.toLowerCase(), 4 + n, 6, 20, 15]],
      ]),
    ),
  ),
  // Ten, although the published code keeps fewer: images of equal number overwrite each other there.
  paper: { rows: 10, files: 10, phrases: ['benign', 'malignant'] },
};

/** Voxels of a mask: rectangles by slice, in columns and rows of the slice. */
function voxels(width: number, height: number, slices: readonly (Box | undefined)[], seed?: number): number[] {
  const rng = Rng.seeded(seed ?? 0, 9);
  return slices.flatMap((box) =>
    Array.from({ length: width * height }, (_, i) => {
      const [x, y] = [i % width, Math.floor(i / width)];
      const inside = box !== undefined && x >= box[0] && y >= box[1] && x < box[0] + box[2] && y < box[1] + box[3];
      return seed === undefined ? Number(inside) : rng.int(255);
    }),
  );
}

const GLAND: readonly (Box | undefined)[] = [undefined, [5, 4, 12, 8], [6, 5, 10, 7], undefined];

/** Volumes; numbers that restart in test; the annotations of others, which are not used. */
export const microseg: Miniature = {
  dataset: 'MicroSeg',
  write: async (dir) => {
    for (const [split, count] of [
      ['train', 4],
      ['test', 2],
    ] as const)
      for (let n = 1; n <= count; n++) {
        const base = `Micro_Ultrasound_Prostate_Segmentation_Dataset/${split}`;
        const id = `${split}_0${n}.nii.gz`;
        const volume = (values: number[]) => nifti({ dims: [24, 16, 4], values, pixdims: [0.1, 0.2, 1], gzip: true });
        await put(
          dir,
          `${base}/micro_ultrasound_scans/microUS_${id}`,
          volume(voxels(24, 16, GLAND, 115000 + 10 * split.length + n)),
        );
        await put(dir, `${base}/expert_annotations/expert_annotation_${id}`, volume(voxels(24, 16, GLAND)));
        const other =
          split === 'train' ? 'non_expert_annotations/nonexpert_annotation' : 'clinician_annotations/clinician_annotation';
        await put(dir, `${base}/${other}_${id}`, volume(voxels(24, 16, [])));
      }
  },
  images: volumeImages(
    [
      ['train', 4],
      ['test', 2],
    ],
    (split, n) => `Micro_Ultrasound_Prostate_Segmentation_Dataset/${split}/micro_ultrasound_scans/microUS_${split}_0${n}.nii.gz`,
  ),
  groups: [1, 2, 3, 4].map((n) =>
    GLAND.map(
      (_box, k) => `Micro_Ultrasound_Prostate_Segmentation_Dataset/train/micro_ultrasound_scans/microUS_train_0${n}.nii.gz#${k}`,
    ),
  ),
  paper: { rows: 12, files: 12, phrases: ['prostate'] },
};

/** Labels of six channels, of which the first is the gland; magnetic resonance beside. */
export const regpro: Miniature = {
  dataset: 'RegPro',
  write: async (dir) => {
    for (const [split, count] of [
      ['train', 4],
      ['val', 2],
    ] as const)
      for (let n = 1; n <= count; n++) {
        const name = `case00000${n}.nii.gz`;
        const landmarks = Array.from({ length: 5 }, () =>
          voxels(24, 16, [[1, 1, 3, 3], [1, 1, 3, 3], undefined, undefined]),
        ).flat();
        const labels = nifti({ dims: [24, 16, 4, 6], values: [...voxels(24, 16, GLAND), ...landmarks], gzip: true });
        const image = nifti({
          dims: [24, 16, 4],
          values: voxels(24, 16, GLAND, 116000 + 10 * split.length + n),
          datatype: 16,
          pixdims: [0.8, 0.8, 0.8],
          gzip: true,
        });
        await put(dir, `${split}/us_images/${name}`, image);
        await put(dir, `${split}/us_labels/${name}`, labels);
        await put(dir, `${split}/mr_images/${name}`, image);
        await put(dir, `${split}/mr_labels/${name}`, labels);
      }
  },
  images: volumeImages(
    [
      ['train', 4],
      ['val', 2],
    ],
    (split, n) => `${split}/us_images/case00000${n}.nii.gz`,
  ),
  paper: { rows: 12, files: 12, phrases: ['prostate'] },
};

function volumeImages(
  splits: readonly (readonly [string, number])[],
  file: (split: string, n: number) => string,
): Miniature['images'] {
  return Object.fromEntries(
    splits.flatMap(([split, count]) =>
      Array.from({ length: count }, (_, i) => i + 1).flatMap((n) =>
        GLAND.map((box, k): [string, Expected[]] => [`${file(split, n)}#${k}`, box === undefined ? [] : [['prostate', ...box]]]),
      ),
    ),
  );
}

/** TIFF; one muscle an image, or two in masks of their own. */
export const luminous: Miniature = {
  dataset: 'Luminous',
  unseen: true,
  write: async (dir) => {
    for (const n of TEN.slice(1, 6)) {
      await put(dir, `LUMINOUS_Database/B-mode/${n}_1_Bmode.tif`, await scan(60, 40, 117000 + n, 'tif'));
      const [left, right] = [
        [4, 5, 20, 12],
        [34, 6, 22, 14],
      ] as const;
      if (n === 3) {
        await put(dir, `LUMINOUS_Database/Masks/${n}_1_Mask1.tif`, await mask(60, 40, [left], 'tif'));
        await put(dir, `LUMINOUS_Database/Masks/${n}_1_Mask2.tif`, await mask(60, 40, [right], 'tif'));
      } else await put(dir, `LUMINOUS_Database/Masks/${n}_1_Mask.tif`, await mask(60, 40, [n % 2 === 0 ? left : right], 'tif'));
    }
  },
  images: Object.fromEntries(
    TEN.slice(1, 6).map((n): [string, Expected[]] => [
      `LUMINOUS_Database/B-mode/${n}_1_Bmode.tif`,
      [
        ...(n === 3 || n % 2 === 0 ? [['left lower back muscle', 4, 5, 20, 12] as const] : []),
        ...(n === 3 || n % 2 === 1 ? [['right lower back muscle', 34, 6, 22, 14] as const] : []),
      ],
    ]),
  ),
  paper: { rows: 4, files: 4, phrases: ['left lower back muscle', 'right lower back muscle'] },
};
