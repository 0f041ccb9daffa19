import { describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { findScanRegion, findText, type RasterImage } from '../../src/imaging/index.js';
import { covered, inFan, scanImage, withText } from '../support/scan-image.js';
import { describeUnless } from '../support/skipped.js';

const FONTS = ['sans-serif', 'serif', 'monospace'];
const SIZES = [11, 14, 18, 26];
const COLOURS = ['#ffffff', '#d0d0d0', '#ffff00', '#00ffff'];

async function jpeg({ width, height, data }: RasterImage): Promise<RasterImage> {
  const packed = await sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 80 })
    .toBuffer();
  return { width, height, data: new Uint8Array(await sharp(packed).raw().toBuffer()) };
}

const probe = await withText(scanImage(), [{ text: 'A', x: 20, y: 40, size: 20 }]);
const fontless = probe.ink.some((value) => value === 1) ? undefined : 'no font is installed';

describeUnless(fontless, 'text burnt into echoes', () => {
  it('is found in at least 22 of 24 drawings: 3 fonts, 4 sizes, 4 colours, uncompressed and as JPEG', async () => {
    const missed: string[] = [];
    for (const [f, font] of FONTS.entries())
      for (const [s, size] of SIZES.entries())
        for (const packed of [false, true]) {
          const colour = COLOURS[(f + s) % COLOURS.length] as string;
          const scan = scanImage({ width: 480, height: 360, seed: f * 8 + s, level: 70 });
          const { image, ink } = await withText(scan, [{ text: 'DOE JANE 4711', x: 150, y: 200, size, font, colour }]);
          const share = covered(ink, 480, findText([packed ? await jpeg(image) : image]));
          if (share < 0.95) missed.push(`${font} ${size} ${colour} ${packed ? 'JPEG' : 'raw'}: ${share.toFixed(2)}`);
        }
    expect(missed.length <= 2 ? [] : missed).toEqual([]);
  });

  it('is hardly seen in echoes without any, if they are not saturated', () => {
    const areas = [1, 2, 3, 4].map((seed) => {
      const boxes = findText([scanImage({ width: 480, height: 360, seed, level: 55 })]);
      return boxes.reduce((sum, { x0, x1, y0, y1 }) => sum + (x1 - x0 + 1) * (y1 - y0 + 1), 0) / (480 * 360);
    });
    expect(Math.max(...areas)).toBeLessThan(0.03);
  });

  it('is found in a clip by standing still, though in no frame alone it is separate from the echoes', async () => {
    const frames: RasterImage[] = [];
    let ink = new Uint8Array();
    for (let i = 0; i < 6; i++) {
      const drawn = await withText(scanImage({ seed: 20 + i, level: 130 }), [
        { text: 'DOE JANE', x: 110, y: 150, size: 16, colour: '#b8b8b8' },
      ]);
      frames.push(drawn.image);
      ink = Uint8Array.from(drawn.ink);
    }
    expect(covered(ink, 320, findText(frames))).toBeGreaterThan(0.95);
  });
});

describe('the scan region', () => {
  const shareOfFan = (mask: Uint8Array, width: number, height: number) => {
    let [fan, both, outside] = [0, 0, 0];
    for (const [i, value] of mask.entries()) {
      const inside = inFan(i % width, Math.floor(i / width), width, height);
      fan += Number(inside);
      both += Number(inside && value === 1);
      outside += Number(!inside && value === 1);
    }
    return { kept: both / fan, excess: outside / fan };
  };

  it('is the fan of a still image, without the lines of text beside it', async () => {
    const lines = Array.from({ length: 6 }, (_, i) => ({ text: `NAME ${i} 12:45`, x: 4, y: 20 + 16 * i, size: 12 }));
    const { image } = await withText(scanImage(), lines);
    const region = findScanRegion([image], [], findText([image]));
    const { kept, excess } = shareOfFan(region?.mask.data ?? new Uint8Array(), 320, 240);
    expect(region?.source).toBe('texture');
    expect(kept).toBeGreaterThan(0.85);
    // The hull spans the arc of the probe.
    expect(excess).toBeLessThan(0.12);
  });

  it('is what moves in a clip, and not a textured banner that stands still', async () => {
    const banner = scanImage({ seed: 99, level: 120 });
    const frames = [1, 2, 3, 4].map((seed) => {
      const frame = scanImage({ seed });
      // Echoes of another image, above and to the left of the fan.
      for (let y = 0; y < 60; y++)
        for (let c = 0; c < 3 * 90; c++) frame.data[3 * y * 320 + c] = banner.data[3 * (y + 120) * 320 + 3 * 110 + c] as number;
      return frame;
    });
    const region = findScanRegion(frames, [], []);
    expect(region?.source).toBe('motion');
    expect(region?.mask.data[10 * 320 + 10]).toBe(0);
    expect(shareOfFan(region?.mask.data ?? new Uint8Array(), 320, 240).kept).toBeGreaterThan(0.97);
  });

  it('is that of the header where there is one, and found where the header is of another size', () => {
    const box: [number, number, number, number] = [40, 30, 280, 230];
    expect(findScanRegion([scanImage()], [box], [])).toMatchObject({ source: 'header', uncertain: false });
    const double = findScanRegion([scanImage()], [[80, 60, 560, 460]], []);
    expect(double).toMatchObject({ source: 'texture', uncertain: true });
  });

  it('is none in an image without echoes', () => {
    expect(findScanRegion([{ width: 320, height: 240, data: new Uint8Array(320 * 240 * 3).fill(40) }], [], [])).toBeUndefined();
  });
});
