import { readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { foldersOf, PathLookup } from '../../../src/data/import/readers/path-lookup.js';
import { CocoDataset, importDataset } from '../../../src/data/index.js';
import { maskToRle, runsOf } from '../../../src/imaging/index.js';
import { Rng } from '../../../src/util/index.js';
import { expectError } from '../../support/expect-error.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { type Box, mask, paint, put } from './miniatures/draw.js';
import { readSplit, SPLITS } from './support.js';

const dir = temporaryFolder('coco-import');
let made = 0;

/** Where the objects of images lie: each image has its own, so that a wrong image shows. */
const BOXES: readonly Box[] = [
  [10, 10, 30, 30],
  [60, 60, 30, 30],
  [60, 10, 30, 30],
  [10, 60, 30, 30],
];
const boxOf = (k: number) => BOXES[k % BOXES.length] as Box;
const polygonOf = ([x, y, w, h]: Box) => [[x, y, x + w, y, x + w, y + h, x, y + h]];

/** Grey level 210 in the box; around it squares of other levels in each image, so that none is taken for a copy of another. */
async function image(box: Box | undefined, seed = 0, side = 100): Promise<Buffer> {
  const rng = Rng.seeded(seed);
  const levels = Array.from({ length: 100 }, () => 20 + rng.int(80));
  const inside = paint(side, side, box === undefined ? [] : [{ box, value: 1 }]);
  const square = (i: number) => Math.floor(((i % side) * 10) / side) + 10 * Math.floor((Math.floor(i / side) * 10) / side);
  const data = inside.map((value, i) => (value === 1 ? 210 : (levels[square(i)] as number)));
  return sharp(data, { raw: { width: side, height: side, channels: 1 } })
    .png()
    .toBuffer();
}

type Entry = object | undefined;

/** A folder with images (box k in the k-th) and one list of them, an annotation each. */
async function set(
  names: readonly (string | undefined)[],
  files: readonly (string | undefined)[],
  {
    images = [],
    annotations = [],
    list = 'annotations/instances_default.json',
    from = join(dir, String(made++)),
  }: Partial<{
    /** Further fields. */
    images: readonly Entry[];
    annotations: readonly Entry[];
    list: string;
    from: string;
  }> = {},
  first = 0,
): Promise<string> {
  for (const [k, file] of files.entries())
    if (file !== undefined) await put(from, file, await image(boxOf(first + k), first + k));
  const content = {
    images: names.map((file_name, k) => ({ id: k + 1, file_name, ...images[k] })),
    annotations: names.map((_, k) => ({
      id: k + 1,
      image_id: k + 1,
      category_id: 1,
      ...(annotations[k] ?? { segmentation: polygonOf(boxOf(first + k)) }),
    })),
    categories: [{ id: 1, name: ' lesion ' }],
  };
  await put(from, list, JSON.stringify(content));
  return from;
}

interface Imported {
  /** Of each imported file below the folder: the mean grey level in each of its masks; none for a negative. */
  readonly means: Readonly<Record<string, readonly number[]>>;
  readonly splits: Readonly<Record<string, string>>;
  readonly groups: Readonly<Record<string, string>>;
  readonly problems: readonly string[];
  readonly notes: readonly string[];
  readonly to: string;
}

async function imported(from: string): Promise<Imported> {
  const to = join(dir, String(made++));
  const { problems, notes } = await importDataset({ dataset: 'coco', from, to });
  const means: Record<string, number[]> = {};
  const splits: Record<string, string> = {};
  const groups: Record<string, string> = {};
  for (const split of SPLITS) {
    const { images } = await readSplit(to, split);
    const data = await CocoDataset.open(to, split);
    for (const [i, { source, group }] of images.entries()) {
      const { image, objects } = await data.load(i);
      means[source] = objects.map(({ mask: { data: inside } }) => {
        const levels = [...inside.keys()].filter((pixel) => inside[pixel] === 1).map((pixel) => image.data[pixel * 3] as number);
        return levels.reduce((a, b) => a + b) / levels.length;
      });
      splits[source] = split;
      groups[source] = group;
    }
  }
  return {
    means,
    splits,
    groups,
    problems: problems.map(({ file, what }) => `${file}: ${what}`),
    notes,
    to,
  };
}

/** All files are there, each under its own mask. */
const right = (...files: string[]) => Object.fromEntries(files.map((file) => [file, [210]]));

describe('an image of a COCO list is found by its path', () => {
  it.each<[name: string, names: readonly string[], files: readonly string[]]>([
    [
      'with the same name in other folders',
      ['p1/1.png', 'p2/1.png', 'p3/1.png'],
      ['frames/p1/1.png', 'frames/p2/1.png', 'frames/p3/1.png'],
    ],
    ['in a folder of its subset', ['p1/1.png', 'p2/1.png'], ['images/default/p1/1.png', 'images/default/p2/1.png']],
    ['written by Windows', ['C:\\a\\p1\\1.png', '.\\p2\\1.png'], ['img/p1/1.png', 'img/p2/1.png']],
    ['unpacked with backslashes in its name', ['p1/1.png', 'p2/1.png'], ['p1\\1.png', 'p2\\1.png']],
    ['with a foreign absolute path', ['../../x/p1/1.png', '/home/x/p2/1.png'], ['img/p1/1.png', 'img/p2/1.png']],
    [
      'that is an address',
      ['https://x.org/d/p1/1.png?s=a%2Fb', 's3://x/p2/1.png#1', 'l/?d=p3/1.png'],
      ['i/p1/1.png', 'i/p2/1.png', 'i/p3/1.png'],
    ],
    ['with URL escapes, or a literal per cent sign', ['p1/a%20%231.png', 'p2/100%.png'], ['i/p1/a #1.png', 'i/p2/100%.png']],
    ['with accents in another Unicode form', ['Mu\u0308ller/1.png', 'Zoë/1.png'], ['x/Müller/1.png', 'x/Zoe\u0308/1.png']],
    ['in another case, an exact match first', ['P1/IMG.PNG', 'a.png', 'A.png'], ['d/p1/img.png', 'd/a.png', 'd/A.png']],
    ['re-encoded', ['p1/1.jpg', 'p2/1.JPEG'], ['i/p1/1.png', 'i/p2/1.png']],
    ['beside smaller copies', ['1.png', '2.png'], ['images/1.png', 'images/2.png', 'previews/1.png']],
  ])('%s', async (_name, names, files) => {
    const { means, problems } = await imported(await set(names, files));
    expect(problems).toEqual([]);
    expect(means).toEqual(right(...files.slice(0, names.length)));
  });

  it('in the folder of its split, where numbering restarts in each', async () => {
    const from = await set(['1.png', '2.png'], ['train2017/1.png', 'train2017/2.png'], {
      list: 'annotations/instances_train2017.json',
    });
    await set(['1.png', '2.png'], ['val2017/1.png', 'val2017/2.png'], { list: 'annotations/instances_val2017.json', from }, 2);
    const { means, splits } = await imported(from);
    expect(means).toEqual(right('train2017/1.png', 'train2017/2.png', 'val2017/1.png', 'val2017/2.png'));
    expect(splits['val2017/1.png']).toBe('val');
  });

  it('in the folder of its list, where several sets lie side by side', async () => {
    const from = await set(['1.png'], ['a/images/1.png'], { list: 'a/annotations/instances_train.json' });
    await set(['1.png'], ['b/train/1.png'], { list: 'b/annotations/instances_default.json', from }, 1);
    expect((await imported(from)).means).toEqual(right('a/images/1.png', 'b/train/1.png'));
  });

  it('by its published address where its name is not enough, or missing', async () => {
    const images = [
      { coco_url: 'http://x.org/a/1.png' },
      { coco_url: 'http://x.org/b/1.png' },
      { coco_url: 'http://x.org/b/2.png' },
    ];
    const { means, problems } = await imported(
      await set(['1.png', '1.png', undefined], ['d/a/1.png', 'd/b/1.png', 'd/b/2.png'], { images }),
    );
    expect(problems).toEqual([]);
    expect(means).toEqual(right('d/a/1.png', 'd/b/1.png', 'd/b/2.png'));
  });
});

describe('an image of a COCO list is named and left out', () => {
  const list = 'annotations/instances_default.json';

  it('where several files may be meant', async () => {
    const { means, problems } = await imported(await set(['1.png', '2.png'], ['f/p1/1.png', 'f/2.png', 'f/p2/1.png']));
    expect(means).toEqual(right('f/2.png'));
    expect(problems).toEqual([`${list}: image 1 (1.png): 2 files may be meant: f/p1/1.png, f/p2/1.png`]);
  });

  it('where its file is that of another entry', async () => {
    const { means, problems } = await imported(await set(['1.png', '1.png', '2.png'], ['i/1.png', undefined, 'i/2.png']));
    expect(means).toEqual(right('i/2.png'));
    expect(problems).toEqual([
      `${list}: image 1 (1.png): its file i/1.png is also that of image 2 of ${list}`,
      `${list}: image 2 (1.png): its file i/1.png is also that of image 1 of ${list}`,
    ]);
  });

  it('rather than taken from another patient, another split, or the masks', async () => {
    const from = await set(['p1/1.png', 'p9/1.png'], ['f/p1/1.png']);
    expect((await imported(from)).problems).toEqual([`${list}: image 2 (p9/1.png): it is not there`]);
    const train = 'annotations/instances_train.json';
    const other = await set(['1.png', '2.png'], ['train/1.png', 'val/2.png'], { list: train });
    expect((await imported(other)).problems).toEqual([
      `${train}: image 2 (2.png): only val/2.png has its name, which is of another split`,
    ]);
    const masked = await set(['1.png', '2.png'], ['images/1.png']);
    await put(masked, 'masks/2.png', await mask(100, 100, [boxOf(1)]));
    expect((await imported(masked)).problems).toEqual([`${list}: image 2 (2.png): it is not there`]);
  });

  it('where a link leads out of the folder', async () => {
    const from = await set(['1.png', '2.png'], [undefined, 'images/2.png']);
    await put(dir, 'secret/1.png', await image(boxOf(0)));
    await symlink(join(dir, 'secret', '1.png'), join(from, 'images', '1.png'));
    const { means, problems } = await imported(from);
    expect(means).toEqual(right('images/2.png'));
    expect(problems).toEqual([expect.stringContaining('images/1.png is a link that leads out')]);
  });

  it('where its size is not the one that it was annotated at, in proportion or not', async () => {
    const images = [
      { width: 200, height: 200 },
      { width: 100, height: 120 },
      { width: 100, height: 100 },
    ];
    const { means, problems } = await imported(
      await set(['1.png', '2.png', '3.png'], ['i/1.png', 'i/2.png', 'i/3.png'], { images }),
    );
    expect(means).toEqual(right('i/3.png'));
    expect(problems).toEqual([
      `i/1.png: it is 100x100, but ${list} says 200x200`,
      `i/2.png: it is 100x100, but ${list} says 100x120`,
    ]);
  });

  const box = { bbox: boxOf(0) };
  it.each<[name: string, annotation: object, problem: string]>([
    ['of an unknown category', { ...box, category_id: 99 }, 'neither a known category nor a caption'],
    ['with a missing mask', { mask_file: 'gone.png' }, 'its mask gone.png is not usable: it is not there'],
    [
      'of an RLE of another size',
      { segmentation: { size: [50, 50], counts: [1250, 1250] } },
      'its RLE is for 50x50, the image is 100x100',
    ],
    ['with an RLE of zero size', { segmentation: { size: [100, 100], counts: [10000] } }, 'it covers no pixel'],
    ['of a damaged RLE', { segmentation: { size: [100, 100], counts: 'zz~~' } }, 'its RLE cannot be decoded'],
    ['outside of its image', { segmentation: polygonOf([120, 120, 30, 30]) }, 'its polygons lie outside the 100x100 image'],
    ['in relative coordinates', { segmentation: polygonOf([0.1, 0.1, 0.3, 0.3]) }, 'normalised coordinates'],
    ['with a box in relative coordinates', { bbox: [0.1, 0.1, 0.3, 0.3] }, 'normalised coordinates'],
    ['of a box without area', { bbox: [5, 5, 0, 9] }, 'has no area'],
    ['with null and no box', { segmentation: null }, 'it has no bbox, no segmentation and no mask_file'],
    ['with a one-point polygon', { segmentation: [...polygonOf(boxOf(0)), [50, 50]] }, 'segmentation.1: A polygon is a list'],
    ['with text instead of numbers', { bbox: ['a', 1, 2, 3] }, 'bbox.0'],
    ['with a polygon that covers no pixel', { segmentation: [[5.1, 5.1, 5.3, 5.1, 5.3, 5.3]] }, 'it covers no pixel'],
  ])('for an annotation %s, while the others are imported', async (_name, annotation, problem) => {
    const from = await set(['1.png', '2.png'], ['i/1.png', 'i/2.png'], { annotations: [annotation] });
    const { means, problems } = await imported(from);
    expect(means).toEqual(right('i/2.png'));
    expect(problems).toEqual([expect.stringContaining(problem)]);
    expect(problems[0]).toContain(`${list}: annotation 1: `);
    await expectError(importDataset({ dataset: 'coco', from, to: join(dir, String(made++)), onBad: 'stop' }), {
      code: 'E_DATA_UNUSABLE',
      what: problem,
    });
  });
});

describe('of an annotation file', () => {
  it('an image without annotations is a negative', async () => {
    const from = await set(['1.png'], ['i/1.png']);
    const path = join(from, 'annotations', 'instances_default.json');
    const file = JSON.parse(await readFile(path, 'utf8'));
    file.images.push({ id: 9, file_name: '2.png' });
    await put(from, 'annotations/instances_default.json', JSON.stringify(file));
    await put(from, 'i/2.png', await image(undefined));
    expect((await imported(from)).means).toEqual({ ...right('i/1.png'), 'i/2.png': [] });
  });

  it('captions, panoptic segments, key points and bare lists of images make no negatives', async () => {
    const from = await set(['1.png', '2.png'], ['train2017/1.png', 'train2017/2.png'], {
      list: 'annotations/instances_train2017.json',
    });
    const images = [1, 2, 3].map((id) => ({ id, file_name: `${id}.png` }));
    await put(from, 'train2017/3.png', await image(boxOf(2)));
    for (const [name, annotations] of Object.entries({
      captions: [{ id: 1, image_id: 1, caption: 'A dark spot.' }],
      panoptic: [{ image_id: 1, segments_info: [], file_name: '1.png' }],
      person_keypoints: [{ id: 1, image_id: 1, category_id: 1, bbox: [1, 1, 5, 5], keypoints: [1, 1, 2] }],
      image_info: [],
    }))
      await put(from, `annotations/${name}_train2017.json`, JSON.stringify({ images, annotations, categories: [] }));
    await put(from, 'annotations/broken.json', '{"images": [], "annotations": [');
    const { means, problems, notes } = await imported(from);
    expect(means).toEqual(right('train2017/1.png', 'train2017/2.png'));
    expect(problems).toEqual([
      'annotations/broken.json: it is not valid JSON',
      expect.stringMatching(/^annotations\/image_info_train2017\.json: it lists 3 images and annotates none/),
    ]);
    expect(notes.join('\n')).toMatch(
      /captions_train2017\.json holds captions.*\n.*panoptic.*\n.*key points.*\n.*train2017\/3\.png/,
    );
  });

  it('ids are compared as text, and those used twice are not guessed at', async () => {
    const from = await set(['1.png', '2.png', '3.png'], ['i/1.png', 'i/2.png', 'i/3.png'], {
      images: [{ id: '1' }, {}, { id: 2 }],
      annotations: [undefined, undefined, { id: 1, image_id: '1', category_id: '1', bbox: boxOf(0) }],
    });
    const { means, problems, notes } = await imported(from);
    expect(means).toEqual({ 'i/1.png': [210, 210] });
    expect(problems).toEqual([expect.stringContaining('image 2: its id is that of 2.png and of 3.png')]);
    expect(notes[0]).toContain('gives 1 annotations an id that another one has');
  });

  it('RLE of both forms, also of crowds, is read', async () => {
    const shown = { width: 100, height: 100, data: Uint8Array.from(paint(100, 100, [{ box: boxOf(0), value: 1 }])) };
    const other = { ...shown, data: Uint8Array.from(paint(100, 100, [{ box: boxOf(1), value: 1 }])) };
    const annotations = [
      { iscrowd: 1, segmentation: { size: [100, 100], counts: runsOf(shown) } },
      { iscrowd: 0, segmentation: maskToRle(other) },
    ];
    const { means } = await imported(await set(['1.png', '2.png'], ['i/1.png', 'i/2.png'], { annotations }));
    expect(means).toEqual(right('i/1.png', 'i/2.png'));
  });
});

describe('masks of a COCO list', () => {
  it('are found by their paths, below masks/ and not among the images of the same name', async () => {
    const names = ['p1\\1.png', 'p2\\1.png'];
    const from = await set(names, ['images/p1/1.png', 'images/p2/1.png'], {
      annotations: names.map((mask_file) => ({ mask_file })),
    });
    for (const k of [0, 1]) await put(from, `masks/p${k + 1}/1.png`, await mask(100, 100, [boxOf(k)]));
    const { means, problems, notes } = await imported(from);
    expect([problems, notes]).toEqual([[], []]);
    expect(means).toEqual(right('images/p1/1.png', 'images/p2/1.png'));
  });

  it('leave their images out where two annotations want one, or one may have several', async () => {
    const annotations = ['c.png', 'c.png', 'm.png'].map((mask_file) => ({ mask_file }));
    const from = await set(['1.png', '2.png', '3.png', '4.png'], ['i/1.png', 'i/2.png', 'i/3.png', 'i/4.png'], { annotations });
    for (const file of ['c.png', 'a/m.png', 'b/m.png']) await put(from, `masks/${file}`, await mask(100, 100, [boxOf(0)]));
    const { means, problems } = await imported(from);
    expect(means).toEqual(right('i/4.png'));
    expect(problems).toEqual([
      expect.stringContaining('its mask c.png is not usable: its file masks/c.png is also that of annotation 2'),
      expect.stringContaining('its mask c.png is not usable: its file masks/c.png is also that of annotation 1'),
      expect.stringContaining('its mask m.png is not usable: 2 files may be meant'),
    ]);
  });

  it('that are empty leave their images out', async () => {
    const from = await set(['1.png', '2.png'], ['i/1.png', 'i/2.png'], { annotations: [{ mask_file: 'm.png' }] });
    await put(from, 'masks/m.png', await mask(100, 100, []));
    const { means, problems } = await imported(from);
    expect(means).toEqual(right('i/2.png'));
    expect(problems).toHaveLength(1);
  });
});

describe('groups of a COCO list', () => {
  it.each(['patient', 'volume', 'group'])('follow %s: none is in two splits', async (field) => {
    const names = Array.from({ length: 12 }, (_, k) => `${k}.png`);
    const images = names.map((_, k) => ({ [field]: k < 6 ? 'A' : k < 9 ? 'B' : 7 }));
    const { groups, splits } = await imported(
      await set(
        names,
        names.map((name) => `i/${name}`),
        { images },
      ),
    );
    expect(new Set(Object.values(groups))).toEqual(new Set(['A', 'B', '7']));
    const pairs = new Set(Object.keys(groups).map((file) => `${groups[file]} ${splits[file]}`));
    expect(pairs.size).toBe(3);
  });

  it('are not made of equal names in the splits of a Roboflow set, but of the copies of one image', async () => {
    const copy = (k: number) => `1_png.rf.${k}123456789abcdef0123456789abcdef.png`;
    const from = await set(['1.png', copy(1), copy(2)], ['train/1.png', `train/${copy(1)}`, `train/${copy(2)}`], {
      list: 'train/_annotations.coco.json',
    });
    await set(['1.png', copy(3)], ['valid/1.png', `valid/${copy(3)}`], { list: 'valid/_annotations.coco.json', from }, 1);
    const { means, groups, to } = await imported(from);
    expect(Object.values(means)).toEqual(Array(5).fill([210]));
    expect(groups[`train/${copy(1)}`]).toBe(groups[`train/${copy(2)}`]);
    expect(new Set(Object.values(groups)).size).toBe(4);
    expect(JSON.parse(await readFile(join(to, 'report.json'), 'utf8')).sharedGroups).toBe(0);
  });

  it('of copies in one folder stay in one split', async () => {
    const names = Array.from({ length: 12 }, (_, k) => `s${k % 4}_jpg.rf.${k.toString(16)}0123456789abcdef.png`);
    const { groups, splits } = await imported(await set(names, names, { list: '_annotations.coco.json' }));
    expect(new Set(Object.values(groups)).size).toBe(4);
    expect(new Set(Object.keys(groups).map((file) => `${groups[file]} ${splits[file]}`)).size).toBe(4);
  });
});

describe('a large COCO list', () => {
  it('of many names that end alike is read without comparing each with each', async () => {
    const files = Array.from({ length: 30_000 }, (_, k) => `images/p${k}/1.png`).map((relative) => ({
      path: `/${relative}`,
      relative,
      full: relative,
    }));
    const lookup = new PathLookup(files);
    const names = files.map((_, k) => `p${k}/1.png`);
    const list = { file: { path: '/a.json', relative: 'a.json', full: 'a.json' }, folders: foldersOf(names) };
    const found = names.map((name) => lookup.find({ name }, list));
    expect(found.every((match, k) => typeof match === 'object' && match.file === files[k])).toBe(true);
  });
});
