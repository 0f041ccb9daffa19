import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import type { RasterImage } from '../../src/imaging/index.js';
import { type LoadedMethod, loadMethod, methodEntries } from '../../src/methods/index.js';
import { Rng } from '../../src/util/index.js';
import { useBackend } from '../support/backend.js';
import { fixturePath } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { writeTinyBiomedClip } from '../support/tiny-biomed-clip.js';
import { writeTinyBiomedParse } from '../support/tiny-biomed-parse.js';

useBackend();

const dir = temporaryFolder('method-memory');
const [CLIP, UNIVERSEG, SAM] = [join(dir, 'clip'), join(dir, 'universeg'), fixturePath('sam-windows')];

/** Small weights of each method. */
const SMALL: Readonly<Record<string, string>> = {
  universeg: UNIVERSEG,
  samus: fixturePath('samus', 'published.pth'),
  'medclip-sam': `${CLIP},${SAM}`,
  'medclip-samv2': `${CLIP},${SAM}`,
  medsam: SAM,
  biomedparse: join(dir, 'biomed-parse'),
};

/** Images until every size and graph was seen once, and images after that. */
const [FIRST, MORE] = [8, 6];

beforeAll(async () => {
  await writeTinyBiomedClip(CLIP);
  await writeTinyBiomedParse(join(dir, 'biomed-parse'));
  await mkdir(UNIVERSEG);
  await copyFile(fixturePath('universeg', 'published.pt'), join(UNIVERSEG, 'weights.pt'));
  const blocks = { encoder_blocks: [[4, 6], [5, 7], [8, 9]], decoder_blocks: [[6, 5], [7, 4]] }; // biome-ignore format: one line
  await writeFile(join(UNIVERSEG, 'config.json'), JSON.stringify({ model_type: 'universeg', ...blocks, image_size: 16 }));
});

function imageOf(seed: number): RasterImage {
  const rng = Rng.seeded(seed);
  const [width, height] = seed % 2 === 0 ? [40, 32] : [28, 44];
  return { width, height, data: Uint8Array.from({ length: width * height * 3 }, () => rng.int(256)) };
}

/** Gives a method what it takes. */
function segmenting(method: LoadedMethod): (image: RasterImage) => Promise<unknown> {
  if (method.takes === 'text') return (image) => method.model.segment(image, ['a lesion']);
  if (method.takes === 'exemplars') {
    const exemplars = [2, 4].map((seed) => {
      const image = imageOf(seed);
      return { image, mask: { width: 40, height: 32, data: Uint8Array.from({ length: 1280 }, (_, i) => Number(i > 700)) } };
    });
    return (image) => method.model.segment(image, exemplars);
  }
  if (method.takes === 'point')
    return async (image) => {
      await method.model.setImage(image);
      return method.model.predictPoints([{ point: [9, 9], inside: true }]);
    };
  return async (image) => {
    await method.model.setImage(image);
    return method.model.predictBoxes([[3, 4, 20, 21]]);
  };
}

describe('the memory of methods', () => {
  it('is tested for every method that is implemented', () => {
    const built = methodEntries.filter(({ create }) => create !== undefined).map(({ name }) => name);
    expect([...built].sort()).toEqual(Object.keys(SMALL).sort());
  });

  it.each(Object.entries(SMALL))(
    'of %s does not grow with the number of images, and is freed at the end',
    async (name, weights) => {
      const before = tf.memory();
      const method = await loadMethod(name, { weights });
      const segment = segmenting(method);
      for (let i = 0; i < FIRST; i++) await segment(imageOf(100 + i));
      const { numTensors, numBytes } = tf.memory();
      for (let i = 0; i < MORE; i++) await segment(imageOf(200 + i));
      expect([tf.memory().numTensors, tf.memory().numBytes]).toEqual([numTensors, numBytes]);
      method.model.dispose();
      expect([tf.memory().numTensors, tf.memory().numBytes]).toEqual([before.numTensors, before.numBytes]);
    },
  );
});
