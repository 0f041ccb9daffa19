import { pairFiles } from '../readers/pairs.js';
import type { Adapter, Found, ScanOptions } from '../types.js';
import { picture } from './common.js';

/** Folders of each version of the images. */
const FOLDERS = {
  original: { image: '1_or_data/image', mask: '1_or_data/mask' },
  stage1: { image: 'stage1/p_image', mask: 'stage1/p_mask' },
  stage2: { image: 'stage2/p_image', mask: 'stage2/p_mask' },
} as const;

/** TNSCUI as the paper calls it, unseen: really DDTI, in three versions. */
export const tnscui: Adapter = {
  name: 'tnscui',
  title: 'TNSCUI',
  aliases: ['ddti', 'tn-scui'],
  organ: 'thyroid',
  published: { count: 637, of: 'images' },
  source: 'https://github.com/WAMAWAMA/TNSCUI2020-Seg-Rank1st (DDTI.zip)',
  layout: 'DDTI/1_or_data/{image,mask}/N.PNG and DDTI/2_preprocessed_data/stage2/{p_image,p_mask}/N.PNG',
  unseen: true,
  variants: ['original', 'stage1', 'stage2'],
  paperVariant: 'stage2',
  paper: { key: 'tnscui', contours: { keep: 'largest', count: 2, minArea: 500 }, copies: true },
  warning: ({ variant }) =>
    variant === 'stage2'
      ? 'the images of stage2 are cut out around the true nodule, which is always large and in the middle: results on them are too good'
      : variant === 'original'
        ? 'TNSCUI in the paper is DDTI, cut out around the true nodule (stage2); the whole images are imported. --variant stage2 takes the others'
        : undefined,
  scan,
};

async function scan({ tree, variant }: ScanOptions): Promise<Found> {
  const wanted = FOLDERS[variant as keyof typeof FOLDERS];
  const { pairs, problems } = pairFiles(tree.files, {
    image: picture(`${wanted.image}/(?<id>[^/]+)`),
    mask: picture(`${wanted.mask}/(?<id>[^/]+)`),
  });
  const records = pairs.map(({ image, masks, names }) => ({
    name: names['id'] as string,
    image: { file: image.path },
    masks: masks.map((mask) => ({ kind: 'file', file: mask.path, read: { as: 'bright', class: 'nodule' } }) as const),
    group: names['id'] as string,
  }));
  const other = Object.entries(FOLDERS).find(([, { image }]) =>
    tree.files.some(({ full }) => picture(`${image}/[^/]+`).test(full)),
  );
  const missing =
    records.length === 0 && other !== undefined ? `${wanted.image} is not there, but ${other[0]} is: --variant ${other[0]}` : '';
  return { records, problems: missing === '' ? problems : [{ file: wanted.image, what: missing }, ...problems] };
}
