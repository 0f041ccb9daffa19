import sharp from 'sharp';
import { type Box, mask, type Patch, paint, put, scan } from './draw.js';
import type { Expected, Miniature } from './types.js';

const NINE = Array.from({ length: 9 }, (_, i) => i);
const three = (n: number) => String(n).padStart(3, '0');

/** A frame of two pixels; where the box reaches the bottom of the image, it is open there. */
const outline = ([x, y, w, h]: Box, height: number): Patch[] => [
  { box: [x, y, w, h] },
  { box: [x + 2, y + 2, w - 4, y + h === height ? h - 2 : h - 4], value: 0 },
];

const head = (n: number): Box => (n === 5 ? [20, 24, 40, 30] : [10 + n, 8, 40, 30]);

/** Half the published size, JPEG under the names of PNG; outlines, one cut by the image's border, one filled; two images of a subject. */
export const hc18: Miniature = {
  dataset: 'HC18',
  write: async (dir) => {
    const rows = ['filename,pixel size(mm),head circumference (mm)'];
    for (const n of NINE) {
      const name = n === 8 ? '007_2HC' : `${three(n)}_HC`;
      await put(dir, `training_set/${name}.png`, await scan(80, 54, 210_000 + n, 'jpg'));
      const drawn = n === 3 ? [{ box: head(n) }] : outline(head(n), 54);
      await put(dir, `training_set/${name}_Annotation.png`, await mask(80, 54, drawn));
      rows.push(`${name}.png,0.0${n + 1},44.3`);
      await put(dir, `test_set/${name}.png`, await scan(80, 54, 211_000 + n));
    }
    await put(dir, 'training_set_pixel_size_and_HC.csv', `${rows.join('\r\n')}\r\n`);
    await put(dir, 'test_set_pixel_size.csv', 'filename,pixel size(mm)\r\n000_HC.png,0.2\r\n');
  },
  images: Object.fromEntries(
    NINE.map((n): [string, Expected[]] => [
      `training_set/${n === 8 ? '007_2HC' : `${three(n)}_HC`}.png`,
      [['fetal head', ...head(n)]],
    ]),
  ),
  groups: [['training_set/007_HC.png', 'training_set/007_2HC.png']],
};

/** Three examinations, of which one has sequences that begin a quarter of an hour after each other. */
const SEQUENCES = [
  ['202201121748100022VAS', 3],
  ['202201121803090026VAS', 2],
  ['202201121818080027VAS', 2],
  ['202202071256290010EM VASCULAR', 2],
  ['202202071316290011EM VASCULAR', 1],
] as const;

const CCA = 'Common Carotid Artery Ultrasound Images';
const slices = SEQUENCES.flatMap(([name, count], s) =>
  NINE.slice(0, count).map((k) => ({
    name: `${name}_slice_${k + 100}.png`,
    seed: 220_000 + 10 * s + k,
    box: [10 + s, 6 + k, 9, 8] as Box,
  })),
);

export const cca: Miniature = {
  dataset: 'CCA',
  write: async (dir) => {
    for (const { name, seed, box } of slices) {
      await put(dir, `${CCA}/US images/${name}`, await scan(48, 40, seed));
      await put(dir, `${CCA}/Expert mask images/${name}`, await mask(48, 40, [box]));
    }
    await put(dir, `${CCA}/dataset.csv`, 'label,number_of_files\nUS images,10\n');
  },
  images: Object.fromEntries(
    slices.map(({ name, box }): [string, Expected[]] => [`${CCA}/US images/${name}`, [['common carotid artery', ...box]]]),
  ),
  groups: [slices.filter(({ name }) => name.startsWith('20220112')).map(({ name }) => `${CCA}/US images/${name}`)],
};

/** Colours in a palette, as index images hold them. */
async function painted(width: number, height: number, patches: readonly Patch[]): Promise<Buffer> {
  return sharp(paint(width, height, patches, 3), { raw: { width, height, channels: 3 } })
    .png({ palette: true })
    .toBuffer();
}

const NERVE = [128, 0, 0] as const;
const VESSEL = [0, 128, 0] as const;

/** Masks with a palette, one whose values were written as grey, one without anything, a published test split. */
export const usgra: Miniature = {
  dataset: 'usgra-seg',
  write: async (dir) => {
    for (const n of NINE) {
      const folder = n < 7 ? 'dataset' : 'dataset/test';
      await put(dir, `${folder}/images/00${n}0.png`, await scan(60, 60, 230_000 + n, 'jpg'));
      const values = [
        { box: [5 + n, 6, 12, 9], value: n === 2 ? 1 : NERVE },
        { box: [30, 20 + n, 10, 14], value: n === 2 ? 2 : VESSEL },
      ] as const;
      const drawn = n === 2 ? await mask(60, 60, values) : await painted(60, 60, n === 4 ? [] : values);
      await put(dir, `${folder}/masks/00${n}0.png`, drawn);
    }
  },
  images: Object.fromEntries(
    NINE.map((n): [string, Expected[]] => [
      `${n < 7 ? 'dataset' : 'dataset/test'}/images/00${n}0.png`,
      n === 4
        ? []
        : [
            ['nerve', 5 + n, 6, 12, 9],
            ['blood vessel', 30, 20 + n, 10, 14],
          ],
    ]),
  ),
};

const points = ([x, y, w, h]: Box) =>
  [
    [x, y],
    [x + w - 1, y],
    [x + w - 1, y + h - 1],
    [x, y + h - 1],
  ].map(([px, py]) => ({ x: px, y: py }));
const mark = (image: number, svg: string) => `<mark><image>${image}</image><svg>${svg}</svg></mark>`;
const svg = (...boxes: readonly Box[]) =>
  JSON.stringify(boxes.map((box) => ({ points: points(box), annotation: {}, regionType: 'freehand' })));

/** Cases of several images; text that is cut off, an image without an outline, one that is too small for its outline. */
export const ddtiXml: Miniature = {
  dataset: 'DDTI (outlines in XML)',
  unseen: true,
  write: async (dir) => {
    for (const n of [1, 2, 3, 4, 5]) {
      for (const k of [1, 2]) await put(dir, `${n}_${k}.jpg`, await scan(80, 60, 240_000 + 10 * n + k, 'jpg'));
      const marks = [
        mark(1, n === 1 ? svg([10, 12, 20, 15], [50, 30, 12, 10]) : svg([10 + n, 12, 20, 15])),
        mark(
          2,
          n === 3 ? svg([5, 5, 9, 9]).slice(0, -9) : n === 4 ? '' : n === 5 ? svg([60, 40, 30, 30]) : svg([20, 20, 16, 14]),
        ),
      ];
      await put(dir, `${n}.xml`, `<?xml version="1.0"?>\n<case><number>${n}</number><tirads>4a</tirads>${marks.join('')}</case>`);
    }
    await put(dir, '6.xml', '<case><mark><image>1</image>');
  },
  images: Object.fromEntries([
    ...[1, 2, 3, 4, 5].map((n): [string, Expected[]] => [
      `${n}_1.jpg`,
      n === 1
        ? [
            ['thyroid nodule', 10, 12, 20, 15],
            ['thyroid nodule', 50, 30, 12, 10],
          ]
        : [['thyroid nodule', 10 + n, 12, 20, 15]],
    ]),
    ...[1, 2].map((n): [string, Expected[]] => [`${n}_2.jpg`, [['thyroid nodule', 20, 20, 16, 14]]]),
  ]),
  problems: ['3_2.jpg', '4_2.jpg', '5_2.jpg', '6.xml'],
};

/** A colour a class, which lists repeat; masks of all classes in one colour, a mask of another size. */
export const mmotu: Miniature = {
  dataset: 'MMOTU (2D)',
  write: async (dir) => {
    const colours = [
      [64, 0, 0],
      [0, 64, 0],
      [0, 0, 64],
      [64, 0, 64],
      [64, 64, 0],
      [64, 64, 64],
      [0, 128, 0],
      [0, 0, 128],
    ] as const;
    for (const [n, value] of colours.entries()) {
      await put(dir, `OTU_2d/images/${n + 1}.JPG`, await scan(60, 50, 250_000 + n, 'jpg'));
      await put(dir, `OTU_2d/annotations/${n + 1}.PNG`, await painted(60, 50, [{ box: [6 + n, 7, 20, 18], value }]));
      await put(dir, `OTU_2d/annotations/${n + 1}_binary.PNG`, await mask(60, 50, [[6 + n, 7, 20, 18]]));
      await put(dir, `OTU_2d/annotations/${n + 1}_binary_binary.PNG`, await mask(60, 50, [[6 + n, 7, 20, 18]]));
    }
    await put(dir, 'OTU_2d/images/598.JPG', await scan(60, 50, 250_100, 'jpg'));
    await put(dir, 'OTU_2d/annotations/598.PNG', await painted(60, 40, [{ box: [6, 7, 20, 18], value: [64, 0, 0] }]));
    await put(dir, 'OTU_2d/train.txt', '1\n2\n3\n4\n5\n6\n');
    await put(dir, 'OTU_2d/val.txt', '7\n8\n598\n');
    // The list knows better than the colour of the third.
    await put(dir, 'OTU_2d/train_cls.txt', '1.JPG  0\n2.JPG  1\n3.JPG  6\n4.JPG  3\n');
  },
  images: Object.fromEntries(
    [
      'ovarian chocolate cyst',
      'ovarian serous cystadenoma',
      'ovarian mucinous cystadenoma',
      'ovarian theca cell tumor',
      'ovarian simple cyst',
      'normal ovary',
      'ovarian mucinous cystadenoma',
      'ovarian high-grade serous cystadenoma',
    ].map((phrase, n): [string, Expected[]] => [`OTU_2d/images/${n + 1}.JPG`, [[phrase, 6 + n, 7, 20, 18]]]),
  ),
  problems: ['OTU_2d/annotations/598.PNG'],
};
