import { readFile } from 'node:fs/promises';
import { maskFolders } from '../readers/pairs.js';
import type { Importer } from '../types.js';
import { imageFile } from './common.js';

/** Number of blocks of consecutive frames that stay together; the 3,585 frames come from 16 videos. */
const BLOCKS = 20;

/** Number of published frames, numbered from 0: in an incomplete set the frames keep their blocks. */
const FRAMES = 3585;

/** TG3K: frames of videos, and the gland in them. */
export const tg3k: Importer = {
  name: 'tg3k',
  title: 'TG3K',
  aliases: ['thyroidgland3k'],
  organ: 'thyroid',
  published: { count: 3585, of: 'images' },
  source: 'https://github.com/haifangong/TRFE-Net-for-thyroid-nodule-segmentation',
  layout: 'tg3k/thyroid-image/NNNN.jpg and tg3k/thyroid-mask/NNNN.jpg',
  officialSplits: 'tg3k-trainval.json, which has no test split',
  paper: { key: 'tg3k', contours: { keep: 'largest', count: 2, minArea: 500 }, copies: true },
  warning: ({ protocol }) =>
    `TG3K's masks are the thyroid gland, ${protocol === 'paper' ? 'although the paper prompts "thyroid tumor"' : 'as the prompt says; the paper calls them "thyroid tumor"'}. Its frames are of 16 videos, but which frame is of which video was not published: runs of consecutive frames are kept together instead`,
  scan: async (options) => {
    const found = await maskFolders({
      image: imageFile('thyroid-image/(?<id>\\d+)'),
      mask: imageFile('thyroid-mask/(?<id>\\d+)'),
      read: () => ({ as: 'bright', class: 'gland' }),
    })(options);
    const file = options.tree.files.find(({ full }) => /(?:^|\/)tg3k-trainval\.json$/i.test(full));
    const listed =
      options.officialSplits && file !== undefined
        ? (JSON.parse((await readFile(file.path, 'utf8')).replace(/^\uFEFF/, '')) as { train?: number[]; val?: number[] })
        : {};
    const [train, val] = [new Set(listed.train), new Set(listed.val)];
    const last = Math.max(...found.records.map(({ name }) => Number(name)), 0);
    // A small excerpt would otherwise fall into a single block.
    const frames = found.records.length < BLOCKS || last >= FRAMES ? last + 1 : FRAMES;
    const records = found.records.map((record) => {
      const number = Number(record.name);
      const split = val.has(number) ? 'val' : train.has(number) ? 'train' : undefined;
      const block = `frames ${Math.floor((number * Math.min(BLOCKS, frames)) / frames)}`;
      return { ...record, group: block, ...(split === undefined ? {} : { split: split as 'train' | 'val' }) };
    });
    return { ...found, records };
  },
};
