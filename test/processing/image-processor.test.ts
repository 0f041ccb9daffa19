import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { type RasterImage, resizeImage } from '../../src/imaging/index.js';
import { ImageProcessor } from '../../src/processing/index.js';
import { useBackend } from '../support/backend.js';
import { expectClose } from '../support/compare.js';
import { expectError } from '../support/expect-error.js';
import { GoldenCase } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';

useBackend();

const dir = temporaryFolder('processor');

let golden: GoldenCase;
let images: RasterImage[];
beforeAll(async () => {
  golden = await GoldenCase.read('image-processor');
  images = Array.from({ length: 5 }, (_, i) => {
    const { shape, data } = golden.array(`in.${i}`);
    return { width: shape[1] as number, height: shape[0] as number, data: Uint8Array.from(data) };
  });
});

async function processorOf(file: string, json: unknown): Promise<ImageProcessor> {
  const folder = await mkdtemp(join(dir, 'model-'));
  await writeFile(join(folder, file), JSON.stringify(json));
  return ImageProcessor.load(folder);
}

const EDGES = { size: { shortest_edge: 40, longest_edge: 66 } };

describe('image processing against the reference', () => {
  it.each(['bilinear', 'bicubic'] as const)('%s resampling gives identical pixels', (filter) => {
    for (const [i, image] of images.entries()) {
      const { data } = resizeImage(image, { width: 29, height: 47 }, filter);
      expect([...data]).toEqual([...golden.array(`out.${filter}.${i}`).data]);
    }
  });

  it('resizes the shortest side to a length unless the longest gets too long', async () => {
    const processor = await processorOf('preprocessor_config.json', EDGES);
    for (const [i, image] of images.entries())
      await expectClose(processor.process([image]).pixelValues, golden.image(`out.edges.${i}`), 1e-6);
  });

  it('pads the images of a batch, and says where', async () => {
    const processor = await processorOf('preprocessor_config.json', EDGES);
    const { pixelValues, pixelMask } = processor.process(images.slice(0, 3));
    await expectClose(pixelValues, golden.image('out.batch.pixel_values'), 1e-6);
    expect([...(await pixelMask.data())]).toEqual([...golden.array('out.batch.pixel_mask').data]);
  });

  it('takes a fixed size, another filter and other statistics', async () => {
    const statistics = { image_mean: [0.5, 0.4, 0.3], image_std: [0.2, 0.3, 0.1], resample: 3 };
    const processor = await processorOf('preprocessor_config.json', { size: { height: 32, width: 48 }, ...statistics });
    await expectClose(processor.process([images[2] as RasterImage]).pixelValues, golden.image('out.square'), 1e-6);
  });
});

describe('the settings of an image processor', () => {
  it('are read from a processor_config.json too, where newer folders have them', async () => {
    const processor = await processorOf('processor_config.json', { image_processor: EDGES, processor_class: 'x' });
    expect(processor.targetSize({ width: 80, height: 60 })).toEqual({ width: 53, height: 40 });
  });

  it('are those given where a folder has none', async () => {
    const folder = await mkdtemp(join(dir, 'model-'));
    const processor = await ImageProcessor.load(folder, { size: { height: 8, width: 9 } });
    expect(processor.targetSize({ width: 80, height: 60 })).toEqual({ width: 9, height: 8 });
    await expectError(ImageProcessor.load(folder), { code: 'E_MODEL_INCOMPLETE', where: 'preprocessor_config.json' });
  });

  it('are refused where they make no sense', async () => {
    await expectError(processorOf('preprocessor_config.json', { size: { height: -1 } }), {
      code: 'E_MODEL_DAMAGED',
      where: 'preprocessor_config.json',
      what: 'the image settings cannot be used (size:',
    });
    const folder = await mkdtemp(join(dir, 'model-'));
    await writeFile(join(folder, 'preprocessor_config.json'), '{');
    await expectError(ImageProcessor.load(folder), {
      code: 'E_MODEL_DAMAGED',
      where: 'preprocessor_config.json',
      what: 'it is not valid JSON',
    });
  });
});
