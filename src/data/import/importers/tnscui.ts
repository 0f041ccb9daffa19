import { decodeImage } from '../../../imaging/index.js';
import type { TreeFile } from '../file-tree.js';
import { pairFiles } from '../readers/pairs.js';
import type { Found, Importer, ScanOptions } from '../types.js';
import { imageFile } from './common.js';

/** Folders of each version of the images. */
const FOLDERS = {
  original: { image: '1_or_data/image', mask: '1_or_data/mask' },
  stage1: { image: 'stage1/p_image', mask: 'stage1/p_mask' },
  stage2: { image: 'stage2/p_image', mask: 'stage2/p_mask' },
} as const;

type Variant = keyof typeof FOLDERS;

/** Folders of a single version, as redistributed: its image sizes identify it. */
const ALONE = { image: 'image', mask: 'mask' } as const;

/** Sides of the square crops around a nodule. */
const SQUARE: Readonly<Record<number, Variant>> = { 256: 'stage1', 512: 'stage2' };

/** Images inspected to determine the version. */
const LOOKED_AT = 8;

/** The paper's "TNSCUI", unseen: actually DDTI, in three versions. */
export const tnscui: Importer = {
  name: 'tnscui',
  title: 'TNSCUI',
  aliases: ['ddti', 'tn-scui'],
  organ: 'thyroid',
  published: { count: 637, of: 'images' },
  source: 'https://github.com/WAMAWAMA/TNSCUI2020-Seg-Rank1st (DDTI.zip)',
  layout:
    'DDTI/1_or_data/{image,mask}/N.PNG and DDTI/2_preprocessed_data/stage2/{p_image,p_mask}/N.PNG, or one version alone in {image,mask}/N.PNG',
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
  const there = await versionsOf(tree.files);
  const wanted = there.get(variant as Variant);
  if (wanted === undefined) {
    const [other] = there.keys();
    const { image } = FOLDERS[variant as Variant];
    const what = `${image} is not there, but ${other} is: --variant ${other}`;
    return { records: [], problems: other === undefined ? [] : [{ file: image, what }] };
  }
  const { pairs, problems } = pairFiles(tree.files, {
    image: imageFile(`${wanted.image}/(?<id>[^/]+)`),
    mask: imageFile(`${wanted.mask}/(?<id>[^/]+)`),
  });
  const records = pairs.map(({ image, masks, names }) => ({
    name: names['id'] as string,
    image: { file: image.path },
    masks: masks.map((mask) => ({ kind: 'file', file: mask.path, read: { as: 'bright', class: 'nodule' } }) as const),
    group: names['id'] as string,
  }));
  return { records, problems };
}

/** The available versions with their folders. */
async function versionsOf(files: readonly TreeFile[]): Promise<Map<Variant, { readonly image: string; readonly mask: string }>> {
  const inFolder = (folder: string) => files.filter(({ full }) => imageFile(`${folder}/[^/]+`).test(full));
  const named = (Object.keys(FOLDERS) as Variant[]).filter((own) => inFolder(FOLDERS[own].image).length > 0);
  if (named.length > 0) return new Map(named.map((own) => [own, FOLDERS[own]]));
  const alone = inFolder(ALONE.image);
  if (alone.length === 0 || inFolder(ALONE.mask).length === 0) return new Map();
  const seen = await Promise.all(
    alone.slice(0, LOOKED_AT).map(async ({ path }) => {
      const { width, height } = await decodeImage(path).catch(() => ({ width: 0, height: 1 }));
      return width === height ? SQUARE[width] : undefined;
    }),
  );
  const [first] = seen;
  return new Map([[first !== undefined && seen.every((own) => own === first) ? first : 'original', ALONE]]);
}
