import sharp from 'sharp';
import type { RasterImage } from '../../imaging/index.js';
import type { WrittenFile } from '../job.js';

/** Longest side of an image on the page, in pixels: burnt-in text is legible. */
const SIDE = 640;

type Rgb = readonly [number, number, number];
const [REGION, TEXT, UNCERTAIN]: readonly Rgb[] = [
  [0, 200, 255],
  [255, 210, 0],
  [255, 60, 60],
];

/** A file's images on the page, as data URLs. */
export interface Figure {
  readonly before: string;
  readonly after: string;
  readonly width: number;
  readonly height: number;
}

/** Draws the region and the text boxes on the image before, and embeds both. */
export async function figureOf({ before, after, plan }: WrittenFile): Promise<Figure> {
  const { width, height } = before;
  const marked: RasterImage = { width, height, data: Uint8Array.from(before.data) };
  outline(marked, plan.region.mask.data, REGION as Rgb);
  for (const { x0, y0, x1, y1, uncertain } of plan.text)
    for (let y = y0; y <= y1; y++)
      for (let x = x0; x <= x1; x++)
        if (y === y0 || y === y1 || x === x0 || x === x1) paint(marked, x, y, (uncertain ? UNCERTAIN : TEXT) as Rgb);
  const scale = Math.min(1, SIDE / Math.max(width, height));
  return {
    before: await embedded(marked),
    after: await embedded(after),
    width: Math.round(width * scale),
    height: Math.round(height * scale),
  };
}

/** Paints the pixels of a region that border on others. */
function outline(image: RasterImage, mask: Uint8Array, colour: Rgb): void {
  const { width, height } = image;
  const inside = (x: number, y: number) => x >= 0 && y >= 0 && x < width && y < height && mask[y * width + x] === 1;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      if (inside(x, y) && !(inside(x - 1, y) && inside(x + 1, y) && inside(x, y - 1) && inside(x, y + 1)))
        paint(image, x, y, colour);
}

function paint({ width, data }: RasterImage, x: number, y: number, colour: Rgb): void {
  data.set(colour, 3 * (y * width + x));
}

async function embedded({ width, height, data }: RasterImage): Promise<string> {
  const bytes = await sharp(data, { raw: { width, height, channels: 3 } })
    .resize({ width: SIDE, height: SIDE, fit: 'inside', withoutEnlargement: true })
    .webp({ quality: 78 })
    .toBuffer();
  return `data:image/webp;base64,${bytes.toString('base64')}`;
}
