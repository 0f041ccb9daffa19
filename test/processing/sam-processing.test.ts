import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { BoxXyxy, RasterImage } from '../../src/imaging/index.js';
import { ImageProcessor, scaleBoxes } from '../../src/processing/index.js';
import { useBackend } from '../support/backend.js';
import { expectClose } from '../support/compare.js';
import { expectError } from '../support/expect-error.js';
import { GoldenCase } from '../support/golden.js';

useBackend();

const SETTINGS = { size: { longest_edge: 48 }, pad_size: { height: 48, width: 48 } };

let golden: GoldenCase;
let images: RasterImage[];
beforeAll(async () => {
  golden = await GoldenCase.read('sam-processing');
  images = golden.names('in.image.').map((i) => {
    const { shape, data } = golden.array(`in.image.${i}`);
    return { width: shape[1] as number, height: shape[0] as number, data: Uint8Array.from(data) };
  });
});

async function processorOf(settings: unknown): Promise<ImageProcessor> {
  const folder = await mkdtemp(join(tmpdir(), 'sam-processor-'));
  await writeFile(join(folder, 'preprocessor_config.json'), JSON.stringify(settings));
  return ImageProcessor.load(folder).finally(() => rm(folder, { recursive: true }));
}

describe("SAM's processing against the reference", () => {
  it('resizes the longest side to a length, and pads to a square', async () => {
    const { pixelValues, sizes } = (await processorOf(SETTINGS)).process(images);
    await expectClose(pixelValues, golden.image('out.pixel_values'), 1e-6);
    expect(sizes.flatMap(({ height, width }) => [height, width])).toEqual([...golden.array('out.resized').data]);
  });

  it('fills up a single image too', async () => {
    const { pixelValues, pixelMask } = (await processorOf(SETTINGS)).process(images.slice(1, 2));
    await expectClose(pixelValues, golden.image('out.pixel_values').slice([1, 0, 0, 0], [1, -1, -1, -1]), 1e-6);
    expect([...(await pixelMask.sum([1, 2]).data())]).toEqual([48 * 32]);
  });

  it('moves boxes with the image', async () => {
    const { sizes } = (await processorOf(SETTINGS)).process(images);
    const boxes = golden.array('in.boxes').data;
    const moved = images.flatMap((image, i) => {
      const box = [...boxes.slice(4 * i, 4 * i + 4)] as unknown as BoxXyxy;
      return scaleBoxes([box], image, sizes[i] as (typeof sizes)[number]).flat();
    });
    const expected = [...golden.array('out.boxes').data];
    for (const [k, value] of moved.entries()) expect(value).toBeCloseTo(expected[k] as number, 4);
  });
});

describe('settings of padding', () => {
  it('are refused where images would not fit', async () => {
    await expectError(processorOf({ ...SETTINGS, pad_size: { height: 48, width: 40 } }), {
      code: 'E_MODEL_DAMAGED',
      what: 'the image settings cannot be used (pad_size.width: expected at least 48, which images can be resized to, got 40)',
    });
  });

  it('refuse an image that is too large and not resized', async () => {
    const processor = await processorOf({ ...SETTINGS, do_resize: false });
    expectError(() => processor.process(images.slice(0, 1)), {
      code: 'E_IMAGE_TOO_LARGE',
      where: 'ImageProcessor.process',
      what: 'an image is 61x37, larger than pad_size, 48x48',
    });
    expect(processor.process(images.slice(4)).pixelValues.shape).toEqual([1, 48, 48, 3]);
  });

  it('may be switched off', async () => {
    const processor = await processorOf({ ...SETTINGS, do_pad: false });
    expect(processor.process(images.slice(1, 2)).pixelValues.shape).toEqual([1, 48, 32, 3]);
  });
});
