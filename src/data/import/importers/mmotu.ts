import { readFile } from 'node:fs/promises';
import type { Split } from '../../coco.js';
import type { FileTree } from '../file-tree.js';
import { pairFiles } from '../readers/pairs.js';
import type { Found, Importer, Problem, ScanOptions } from '../types.js';
import { imageFile, path } from './common.js';

/** Classes by their number in the lists, with their mask colours. */
const CLASSES = [
  { class: 'chocolate cyst', colour: [64, 0, 0] },
  { class: 'serous cystadenoma', colour: [0, 64, 0] },
  { class: 'teratoma', colour: [0, 0, 64] },
  { class: 'theca cell tumor', colour: [64, 0, 64] },
  { class: 'simple cyst', colour: [64, 64, 0] },
  { class: 'normal ovary', colour: [64, 64, 64] },
  { class: 'mucinous cystadenoma', colour: [0, 128, 0] },
  { class: 'high-grade serous cystadenoma', colour: [0, 0, 128] },
] as const;

/** MMOTU, 2D subset: ovarian tumors, one colour per class. */
export const mmotu: Importer = {
  name: 'mmotu',
  title: 'MMOTU (2D)',
  aliases: ['mmotu-2d', 'otu_2d', 'otu2d'],
  organ: 'ovary',
  published: { count: 1469, of: 'images' },
  source: 'https://github.com/cv516Buaa/MMOTU_DS2Net',
  layout: 'OTU_2d/images/N.JPG and OTU_2d/annotations/N.PNG, with train.txt, val.txt, train_cls.txt and val_cls.txt',
  officialSplits: 'train.txt and val.txt; it has no test split',
  warning: () => 'MMOTU does not state which images are of one patient: it is split by image',
  scan,
};

async function scan({ tree }: ScanOptions): Promise<Found> {
  const { pairs, problems: unpaired } = pairFiles(tree.files, {
    image: imageFile('OTU_2d/images/(?<id>\\d+)'),
    mask: imageFile('OTU_2d/annotations/(?<id>\\d+)'),
    // All classes in one colour.
    ignore: path('OTU_2d/annotations/\\d+(?:_binary)+\\.\\w+$'),
  });
  const problems: Problem[] = [...unpaired];
  const [splits, classes] = await Promise.all([splitsOf(tree), classesOf(tree)]);
  const records = pairs.map(({ image, masks, names }) => {
    const name = names['id'] as string;
    const split = splits.get(name);
    const number = classes.get(name);
    const known = number === undefined ? undefined : CLASSES[number];
    if (number !== undefined && known === undefined)
      problems.push({ file: image.relative, what: `its class is ${number}; known are 0 to 7. The colour of its mask counts` });
    return {
      name,
      image: { file: image.path },
      // The list defines the class more reliably than the colour.
      masks: masks.map((mask) =>
        known === undefined
          ? ({ kind: 'painted', file: mask.path, classes: CLASSES } as const)
          : ({
              kind: 'painted',
              file: mask.path,
              classes: CLASSES.map(({ colour }) => ({ class: known.class, colour })),
            } as const),
      ),
      group: name,
      ...(split === undefined ? {} : { split }),
    };
  });
  return { records, problems };
}

/** The lists contain names with or without an extension. */
async function linesOf({ files }: FileTree, name: string): Promise<string[][]> {
  const file = files.find(({ full }) => path(`OTU_2d/${name}$`).test(full));
  if (file === undefined) return [];
  const text = (await readFile(file.path, 'utf8')).replace(/^\uFEFF/, '');
  return text.split(/\r?\n/).map((line) => line.trim().split(/[\s,]+/));
}

async function splitsOf(tree: FileTree): Promise<Map<string, Split>> {
  const splits = new Map<string, Split>();
  for (const split of ['train', 'val'] as const)
    for (const [name = ''] of await linesOf(tree, `${split}\\.txt`)) splits.set(stem(name), split);
  return splits;
}

async function classesOf(tree: FileTree): Promise<Map<string, number>> {
  const classes = new Map<string, number>();
  for (const split of ['train', 'val'])
    for (const [name = '', number] of await linesOf(tree, `${split}_cls\\.txt`))
      if (number !== undefined) classes.set(stem(name), Number(number));
  return classes;
}

function stem(name: string): string {
  return name
    .slice(name.lastIndexOf('/') + 1)
    .replace(/\.\w+$/, '')
    .toLowerCase();
}
