import {
  type BinaryMask,
  type BoxXyxy,
  boxOfMask,
  type Clip,
  connectedComponents,
  type RasterImage,
} from '../../src/imaging/index.js';
import type { Detector, PromptedMasker } from '../../src/infer/index.js';

/** A disc on one frame. Its grey value says what it is. */
export interface Disc {
  readonly x: number;
  readonly y: number;
  readonly r: number;
  readonly grey: number;
}

/** Grey values by phrase. */
export const GREYS: Readonly<Record<string, number>> = { bright: 240, dim: 140 };

const SIZE = { width: 96, height: 64 };

/** A clip of discs that move on black. */
export function discClip(frames: number, discsAt: (frame: number) => readonly Disc[], fails: readonly number[] = []): Clip {
  return {
    name: 'discs',
    frames,
    ...SIZE,
    frame: async (index) => {
      if (fails.includes(index)) throw new Error(`frame ${index} is damaged`);
      return draw(discsAt(index));
    },
  };
}

function draw(discs: readonly Disc[]): RasterImage {
  const data = new Uint8Array(SIZE.width * SIZE.height * 3);
  for (const { x, y, r, grey } of discs)
    for (let py = 0; py < SIZE.height; py++)
      for (let px = 0; px < SIZE.width; px++)
        if (Math.hypot(px - x, py - y) <= r) data.fill(grey, 3 * (py * SIZE.width + px), 3 * (py * SIZE.width + px) + 3);
  return { ...SIZE, data };
}

function inGrey({ width, height, data }: RasterImage, wanted: (grey: number) => boolean): BinaryMask {
  return { width, height, data: Uint8Array.from({ length: width * height }, (_, i) => Number(wanted(data[3 * i] as number))) };
}

/** The pixels of a disc. */
export function maskOfDisc(disc: Disc): BinaryMask {
  return inGrey(draw([disc]), (grey) => grey > 0);
}

/** Finds discs by their grey value, and counts how often it was asked. */
export class GreyDetector implements Detector {
  readonly asked: RasterImage[] = [];

  async detect(image: RasterImage, phrases: readonly string[]) {
    this.asked.push(image);
    const found = phrases.flatMap((phrase) => {
      const mask = inGrey(image, (grey) => grey === GREYS[phrase]);
      return connectedComponents(mask).map((component) => {
        const boxXyxyPx = boxOfMask(component) as BoxXyxy;
        return { phrase, score: 0.8, boxXyxyPx };
      });
    });
    return found.sort((a, b) => a.boxXyxyPx[0] - b.boxXyxyPx[0]);
  }

  dispose(): void {}
}

/** Masks the disc of which most lies in a box, or the one under a point. */
export class GreyMasker implements PromptedMasker {
  private image: RasterImage | undefined;

  async setImage(image: RasterImage): Promise<void> {
    this.image = image;
  }

  async predict({ boxes, points }: Parameters<PromptedMasker['predict']>[0]) {
    const image = this.image as RasterImage;
    const masks =
      boxes?.map((box) => mostIn(image, box)) ?? points?.map(([[x, y] = [0, 0]]) => mostIn(image, [x, y, x + 1, y + 1]));
    return (masks ?? []).map((mask) => {
      const objectScore = mask.data.includes(1) ? 0.95 : 0.05;
      return { masks: [{ mask, score: objectScore, logits: { ...mask, data: Float32Array.from(mask.data) } }], objectScore };
    });
  }

  dispose(): void {}
}

/** The disc of which most lies in a box. */
function mostIn(image: RasterImage, [x0, y0, x1, y1]: BoxXyxy): BinaryMask {
  const whole = inGrey(image, (grey) => grey > 0);
  const inside = ({ width, data }: BinaryMask) =>
    data.reduce((sum, value, i) => {
      const [x, y] = [i % width, Math.floor(i / width)];
      return sum + (x >= x0 - 1 && x < x1 && y >= y0 - 1 && y < y1 ? value : 0);
    }, 0);
  const shares = connectedComponents(whole).map((mask) => ({ mask, share: inside(mask) }));
  const best = shares.sort((a, b) => b.share - a.share)[0];
  return best !== undefined && best.share > 0 ? best.mask : { ...whole, data: new Uint8Array(whole.data.length) };
}
