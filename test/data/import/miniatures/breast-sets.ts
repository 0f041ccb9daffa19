import { makeZip } from '../../../scripts/support/zip.js';
import { mask, put, scan } from './draw.js';
import type { Expected, Miniature } from './types.js';

const NAMES = Array.from({ length: 10 }, (_, i) => i + 1);

/** Sides differ and differ from image to image. */
const size = (n: number) => [40 + 2 * n, 30 + n] as const;

/** A lesion that differs from image to image. */
const lesion = (n: number) => [4 + n, 5, 10, 6 + n] as const;

/** Ten cases: the table as Excel file, one case without a lesion, one with two pieces, masks of other findings. */
export const breast: Miniature = {
  dataset: 'BrEaST',
  write: async (dir) => {
    const folder = 'BrEaST-Lesions_USG-images_and_masks';
    const rows = [
      ['CaseID', 'Image_filename', 'Mask_tumor_filename', 'Mask_other_filename', 'Pixel_size', 'BIRADS', 'Classification'],
    ];
    for (const n of NAMES) {
      const stem = `case${String(n).padStart(3, '0')}`;
      await put(dir, `${folder}/${stem}.png`, await scan(...size(n), 101000 + n));
      if (n !== 4)
        await put(
          dir,
          `${folder}/${stem}_tumor.png`,
          await mask(...size(n), n === 2 ? [lesion(n), [30, 20, 8, 9]] : [lesion(n)]),
        );
      if (n === 3) await put(dir, `${folder}/${stem}_other1.png`, await mask(...size(n), [[1, 1, 5, 5]]));
      const label = n === 4 ? 'normal' : n % 2 === 0 ? 'benign' : 'malignant';
      rows.push([
        String(n),
        `${stem}.png`,
        n === 4 ? '' : `${stem}_tumor.png`,
        n === 3 ? `${stem}_other1.png` : '',
        '0.007',
        '4a',
        label,
      ]);
    }
    await put(dir, 'BrEaST-Lesions-USG-clinical-data-Dec-15-2023.xlsx', xlsx(rows));
  },
  images: Object.fromEntries(
    NAMES.map((n): [string, Expected[]] => [
      `BrEaST-Lesions_USG-images_and_masks/case${String(n).padStart(3, '0')}.png`,
      n === 4
        ? []
        : [[n % 2 === 0 ? 'benign' : 'malignant', ...lesion(n)], ...(n === 2 ? [['benign', 30, 20, 8, 9] as const] : [])],
    ]),
  ),
  paper: { rows: 9, files: 9, phrases: ['benign', 'malignant'] },
};

/** Text in shared strings and inline, empty cells left out, as Excel writes. */
function xlsx(rows: readonly (readonly string[])[]): Buffer {
  const strings = [...new Set(rows.flat())];
  const cell = (text: string, x: number, y: number) => {
    const at = `${String.fromCharCode(65 + x)}${y + 1}`;
    if (text === '') return '';
    if (/^[\d.]+$/.test(text)) return `<c r="${at}"><v>${text}</v></c>`;
    if (x === 5) return `<c r="${at}" t="inlineStr"><is><t>${text}</t></is></c>`;
    return `<c r="${at}" s="1" t="s"><v>${strings.indexOf(text)}</v></c>`;
  };
  const lines = rows.map((row, y) => `<row r="${y + 1}">${row.map((text, x) => cell(text, x, y)).join('')}</row>`);
  const head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
  const file = (name: string, data: string) => ({ name, data: Buffer.from(head + data) });
  return makeZip([
    file('xl/workbook.xml', '<workbook/>'),
    file(
      'xl/sharedStrings.xml',
      `<sst>${strings.map((text) => `<si><r><t>${text.slice(0, 3)}</t></r><r><t xml:space="preserve">${text.slice(3)}</t></r></si>`).join('')}</sst>`,
    ),
    file('xl/worksheets/sheet1.xml', `<worksheet><sheetData>${lines.join('')}</sheetData></worksheet>`),
  ]);
}

/** Spaces in names, BMP images, TIFF masks, and the overlay that is no image. */
export const buid: Miniature = {
  dataset: 'BUID',
  write: async (dir) => {
    for (const label of ['Benign', 'Malignant'])
      for (const n of NAMES.slice(0, 5)) {
        await put(dir, `${label}/${n} ${label} Image.bmp`, await scan(...size(n), 102000 + n + label.charCodeAt(0) * 100, 'bmp'));
        await put(
          dir,
          `${label}/${n} ${label} Mask.tif`,
          await mask(...size(n), n === 1 ? [lesion(n), [30, 22, 6, 5]] : [lesion(n)], 'tif'),
        );
        await put(dir, `${label}/${n} ${label} Lesion.bmp`, await scan(...size(n), 102000 + n + 7, 'bmp'));
      }
  },
  images: Object.fromEntries(
    ['Benign', 'Malignant'].flatMap((label) =>
      NAMES.slice(0, 5).map((n): [string, Expected[]] => [
        `${label}/${n} ${label} Image.bmp`,
        [[label.toLowerCase(), ...lesion(n)], ...(n === 1 ? [[label.toLowerCase(), 30, 22, 6, 5] as const] : [])],
      ]),
    ),
  ),
  paper: { rows: 12, files: 10, phrases: ['benign', 'malignant'] },
};

/** Numbers restart in each class, everything lies once more in All/, a mask is half the size of its image. */
export const busuc: Miniature = {
  dataset: 'BUS-UC',
  write: async (dir) => {
    for (const label of ['Benign', 'Malignant'])
      for (const n of NAMES.slice(0, 6)) {
        const image = await scan(48, 32, 103000 + n + label.charCodeAt(0) * 100);
        const half = n === 2;
        const drawn = half ? await mask(24, 16, [[3, 2, 5, 4]]) : await mask(48, 32, n === 3 ? [] : [lesion(n)]);
        for (const folder of [label, 'All']) {
          const name = folder === 'All' && label === 'Malignant' ? `1${n}.png` : `0${n}.png`;
          await put(dir, `BUS_UC/${folder}/images/${name}`, image);
          await put(dir, `BUS_UC/${folder}/masks/${name}`, drawn);
        }
      }
  },
  images: Object.fromEntries(
    ['Benign', 'Malignant'].flatMap((label) =>
      NAMES.slice(0, 6).map((n): [string, Expected[]] => [
        `BUS_UC/${label}/images/0${n}.png`,
        n === 3 ? [] : [n === 2 ? [label.toLowerCase(), 6, 4, 10, 8] : [label.toLowerCase(), ...lesion(n)]],
      ]),
    ),
  ),
  paper: { rows: 10, files: 10, phrases: ['benign', 'malignant'] },
};

const PATIENTS = ['ALWI', 'BEKO', 'CARA', 'DINO', 'EMIL', 'FARO', 'GINA', 'HUGO', 'IRIS', 'JONA'];

/** The patient in the name, colours for classes, both in one image, black masks. */
export const busuclm: Miniature = {
  dataset: 'BUS-UCLM',
  write: async (dir) => {
    for (const [i, patient] of PATIENTS.entries())
      for (const k of [0, 1, 2]) {
        const name = `${patient}_00${k}.png`;
        await put(dir, `BUS-UCLM/images/${name}`, await scan(44, 36, 104000 + 10 * i + k));
        const green = { box: lesion(i), value: [0, 255, 0] as const };
        const red = { box: [30, 2, 7, 9] as const, value: [255, 0, 0] as const };
        const patches = k === 0 ? [] : k === 1 ? [green] : i === 0 ? [green, red] : [red];
        await put(
          dir,
          `BUS-UCLM/masks/${name}`,
          await mask(44, 36, patches.length > 0 ? patches : [{ box: [0, 0, 44, 36], value: [0, 0, 0] }]),
        );
      }
  },
  images: Object.fromEntries(
    PATIENTS.flatMap((patient, i) =>
      [0, 1, 2].map((k): [string, Expected[]] => [
        `BUS-UCLM/images/${patient}_00${k}.png`,
        k === 0
          ? []
          : k === 1
            ? [['benign', ...lesion(i)]]
            : [...(i === 0 ? [['benign', ...lesion(i)] as const] : []), ['malignant', 30, 2, 7, 9]],
      ]),
    ),
  ),
  groups: PATIENTS.map((patient) => [0, 1, 2].map((k) => `BUS-UCLM/images/${patient}_00${k}.png`)),
  // An image with both colours is benign alone there.
  paper: { rows: 20, files: 20, phrases: ['benign', 'malignant'] },
};

/** The class in a CSV file of another program: byte order mark, CRLF, other column names. */
export const busb: Miniature = {
  dataset: 'BUS-B',
  write: async (dir) => {
    const lines = ['Image,Type'];
    for (const n of NAMES) {
      const name = `${String(n).padStart(6, '0')}`;
      await put(dir, `BUS/original/${name}.png`, await scan(...size(n), 105000 + n));
      await put(dir, `BUS/GT/${name}.png`, await mask(...size(n), n === 5 ? [lesion(n), [36, 25, 9, 7]] : [lesion(n)]));
      lines.push(`${name},${n % 3 === 0 ? 'Malignant' : 'Benign'}`);
    }
    await put(dir, 'BUS/DatasetB.csv', `\uFEFF${lines.join('\r\n')}\r\n`);
  },
  images: Object.fromEntries(
    NAMES.map((n): [string, Expected[]] => {
      const label = n % 3 === 0 ? 'malignant' : 'benign';
      return [
        `BUS/original/${String(n).padStart(6, '0')}.png`,
        [[label, ...lesion(n)], ...(n === 5 ? [[label, 36, 25, 9, 7] as const] : [])],
      ];
    }),
  ),
  paper: { rows: 10, files: 10, phrases: ['benign', 'malignant'] },
};

/** Parentheses and spaces, a second and a third mask, images without a lesion with black masks. */
export const busi: Miniature = {
  dataset: 'BUSI',
  write: async (dir) => {
    for (const label of ['benign', 'malignant', 'normal'])
      for (const n of NAMES.slice(0, 5)) {
        const stem = `Dataset_BUSI_with_GT/${label}/${label} (${n})`;
        await put(dir, `${stem}.png`, await scan(...size(n), 106000 + n + label.charCodeAt(0) * 100));
        await put(dir, `${stem}_mask.png`, await mask(...size(n), label === 'normal' ? [] : [lesion(n)]));
        if (label !== 'benign' || n !== 2) continue;
        await put(dir, `${stem}_mask_1.png`, await mask(...size(n), [[30, 2, 6, 7]]));
        await put(dir, `${stem}_mask_2.png`, await mask(...size(n), [[30, 20, 9, 5]]));
      }
  },
  images: Object.fromEntries(
    ['benign', 'malignant', 'normal'].flatMap((label) =>
      NAMES.slice(0, 5).map((n): [string, Expected[]] => [
        `Dataset_BUSI_with_GT/${label}/${label} (${n}).png`,
        label === 'normal'
          ? []
          : [
              [label, ...lesion(n)],
              ...(label === 'benign' && n === 2
                ? ([
                    ['benign', 30, 2, 6, 7],
                    ['benign', 30, 20, 9, 5],
                  ] as const)
                : []),
            ],
      ]),
    ),
  ),
  paper: { rows: 10, files: 10, phrases: ['benign', 'malignant'] },
};

/** Masks of other sizes than their 64x64 images, and one soft at its edge. */
export const stu: Miniature = {
  dataset: 'STU',
  write: async (dir) => {
    for (const n of NAMES) {
      await put(dir, `Hospital/Test_Image_${n}.png`, await scan(64, 64, 107000 + n));
      const factor = n % 3 === 0 ? 3 : 1;
      const box = [8 + n, 6, 20, 12 + n].map((edge) => edge * factor) as [number, number, number, number];
      const [x, y, w, h] = box;
      const soft = { box: [x - 1, y - 1, w + 2, h + 2] as const, value: 90 };
      await put(dir, `Hospital/mask_${n}.png`, await mask(64 * factor, 64 * factor, n === 1 ? [soft, { box }] : [box]));
    }
  },
  images: Object.fromEntries(
    NAMES.map((n): [string, Expected[]] => [`Hospital/Test_Image_${n}.png`, [['breast lesion', 8 + n, 6, 20, 12 + n]]]),
  ),
  paper: { rows: 10, files: 10, phrases: ['tumor'] },
};

/** Masks of 1 and 2 that look black; the labels in another form; a testing set that repeats a number. */
export const s1: Miniature = {
  dataset: 'S1',
  write: async (dir) => {
    for (const n of NAMES) {
      const patches = [
        { box: lesion(n), value: n % 2 === 0 ? 2 : 1 },
        ...(n === 6 ? [{ box: [40, 3, 7, 5] as const, value: 1 }] : []),
      ];
      await put(dir, `Data/TrainingDataSet/BreastTumourImages/${n}.jpg`, await scan(...size(n), 108000 + n, 'jpg'));
      await put(dir, `Data/TrainingDataSet/General-1-channel-Labels/${n}.png`, await mask(...size(n), patches));
      await put(
        dir,
        `Data/TrainingDataSet/Expanded-3-channel-Labels/${n}.png`,
        await mask(...size(n), [{ box: lesion(n), value: 127 }]),
      );
    }
    await put(dir, 'Data/TestingDataSet/Test-General-1-BreastTumourImages/3.jpg', await scan(40, 30, 108000 + 3, 'jpg'));
    await put(
      dir,
      'Data/TestingDataSet/Test-General-1-channel-Labels/3.png',
      await mask(40, 30, [{ box: [2, 3, 9, 8], value: 1 }]),
    );
    await put(dir, 'Data/Segmentation_Results/3.png', await mask(40, 30, [[1, 1, 20, 20]]));
  },
  images: Object.fromEntries(
    NAMES.map((n): [string, Expected[]] => [
      `Data/TrainingDataSet/BreastTumourImages/${n}.jpg`,
      [[n % 2 === 0 ? 'benign' : 'malignant', ...lesion(n)], ...(n === 6 ? [['malignant', 40, 3, 7, 5] as const] : [])],
    ]),
  ),
  // The image with both is of the larger value there.
  paper: { rows: 11, files: 10, phrases: ['benign', 'malignant'] },
};

/** The patient and the class in a table whose last column holds commas; the two sides of a patient. */
export const busbra: Miniature = {
  dataset: 'BUS-BRA',
  unseen: true,
  write: async (dir) => {
    const lines = ['ID,Case,Histology,Pathology,BIRADS,Device,Width,Height,Side,BBOX'];
    for (const n of NAMES.slice(0, 4))
      for (const side of ['l', 'r']) {
        const id = `${String(n).padStart(4, '0')}-${side}`;
        await put(dir, `BUSBRA/Images/bus_${id}.png`, await scan(...size(n), 109000 + n + (side === 'l' ? 50 : 0)));
        await put(dir, `BUSBRA/Masks/mask_${id}.png`, await mask(...size(n), [lesion(n)]));
        lines.push(
          `bus_${id},${n},x,${n % 2 === 0 ? 'benign' : 'malignant'},4,d,${size(n).join(',')},left,"[${lesion(n).join(',')}]"`,
        );
      }
    await put(dir, 'BUSBRA/bus_data.csv', `${lines.join('\n')}\n`);
    await put(dir, 'BUSBRA/5-fold-cv.csv', 'ID,Pathology,kFold\nbus_0001-l,benign,1\n');
  },
  images: Object.fromEntries(
    NAMES.slice(0, 4).flatMap((n) =>
      ['l', 'r'].map((side): [string, Expected[]] => [
        `BUSBRA/Images/bus_${String(n).padStart(4, '0')}-${side}.png`,
        [[n % 2 === 0 ? 'benign' : 'malignant', ...lesion(n)]],
      ]),
    ),
  ),
  paper: { rows: 8, files: 8, phrases: ['benign', 'malignant'] },
};
