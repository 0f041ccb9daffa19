import { mask, type Patch, put, scan } from './draw.js';
import type { Expected, Miniature } from './types.js';

const NAMES = [
  '100_IM-0246-0030_anon.png',
  '101_IM-0301-0012_anon.png',
  '11_IM-0288-0017-0002_anon.png',
  '12_IM-0001-0002_anon.png',
  '13_IM-0002-0002_anon.png',
  '14_IM-0003-0002_anon.png',
  '15_IM-0004-0002_anon.png',
  '16_IM-0005-0002_anon.png',
  '17_IM-0006-0002_anon.png',
  // The image of number 100 again.
  '200_IM-0246-0030_anon.png',
];

/** The last pixel of an outline is inside. */
const outline = ([x, y, w, h]: readonly [number, number, number, number]) => ({
  name: 'polygon',
  all_points_x: [x, x + w - 1, x + w - 1, x],
  all_points_y: [y, y, y + h - 1, y + h - 1],
});

const CAPSULE = [4, 3, 40, 30] as const;
const CENTRAL = [18, 12, 10, 8] as const;
const CORTEX = [8, 5, 30, 4] as const;
const MEDULLAS = [
  [10, 22, 6, 5],
  [30, 22, 7, 6],
] as const;

/** A table of the VGG annotator with quoted JSON, an image without outlines, rows out of the usual order, two pieces of a structure. */
export const kidneyus: Miniature = {
  dataset: 'KidneyUS',
  write: async (dir) => {
    const labels = 'kidneyUS-main/labels';
    const lines = ['filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes'];
    const quoted = (value: unknown) => `"${JSON.stringify(value).replace(/"/g, '""')}"`;
    for (const [n, name] of NAMES.entries()) {
      await put(dir, `kidneyUS_images_14_june_2022/${name}`, await scan(64, 48, 118000 + (n === 9 ? 0 : n)));
      const shapes: readonly (readonly [string, readonly [number, number, number, number]])[] =
        n === 3
          ? []
          : n === 4
            ? // The number of the row is not the class here.
              [
                ['Cortex', CORTEX],
                ['Capsule', CAPSULE],
                ['Central Echo Complex', CENTRAL],
              ]
            : [
                ['Capsule', CAPSULE],
                ['Central Echo Complex', CENTRAL],
                ...MEDULLAS.map((box) => ['Medulla', box] as const),
                ['Cortex', CORTEX],
              ];
      const attributes = quoted({ Quality: 'Good', View: 'Longitudinal', Comments: 'n/a' });
      if (shapes.length === 0) lines.push(`${name},1234,${attributes},0,0,"{}","{}"`);
      for (const [k, [anatomy, box]] of shapes.entries())
        lines.push(`${name},1234,${attributes},${shapes.length},${k},${quoted(outline(box))},${quoted({ Anatomy: anatomy })}`);
      const has = (anatomy: string) => shapes.some(([own]) => own === anatomy);
      const regions: Patch[] = [
        ...(has('Cortex') ? [{ box: CORTEX, value: 3 }] : []),
        ...(has('Medulla') ? MEDULLAS.map((box) => ({ box, value: 2 })) : []),
        ...(has('Central Echo Complex') ? [{ box: CENTRAL, value: 1 }] : []),
      ];
      for (const reviewer of [1, 2]) {
        await put(
          dir,
          `${labels}/reviewed_masks_${reviewer}/capsule/${name}`,
          await mask(64, 48, has('Capsule') ? [{ box: CAPSULE, value: 1 }] : []),
        );
        await put(dir, `${labels}/reviewed_masks_${reviewer}/regions/${name}`, await mask(64, 48, regions));
      }
    }
    for (const reviewer of [1, 2]) await put(dir, `${labels}/reviewed_labels_${reviewer}.csv`, `${lines.join('\r\n')}\r\n`);
  },
  images: Object.fromEntries(
    NAMES.map((name, n): [string, Expected[]] => [
      `kidneyUS_images_14_june_2022/${name}`,
      n === 3
        ? []
        : [
            ['kidney capsule', ...CAPSULE],
            ['kidney central echo complex', ...CENTRAL],
            ['kidney cortex', ...CORTEX],
            ...(n === 4 ? [] : MEDULLAS.map((box) => ['kidney medulla', ...box] as const)),
          ],
    ]),
  ),
  groups: [[`kidneyUS_images_14_june_2022/${NAMES[0]}`, `kidneyUS_images_14_june_2022/${NAMES[9]}`]],
  // Eight images: capsule 1, and the four regions together three times (numbers 1 to 3; 4 is left out); one with rows 0 to 2: 1 + 2 + 2.
  paper: {
    rows: 8 * (1 + 3 * 4) + (1 + 2 + 2),
    files: 8 * 4 + 3,
    phrases: ['kidney capsule', 'kidney central echo complex', 'kidney cortex', 'kidney medulla'],
  },
};
