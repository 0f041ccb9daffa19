import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { tf } from '../../../src/backend/index.js';
import { generatePhantomClip, type PhantomDomain, phantomDomains } from '../../../src/data/index.js';
import { TrackedSegmenter } from '../../../src/infer/index.js';
import { useBackend } from '../../support/backend.js';
import { writeNanoMemory } from '../../support/nano-memory.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

useBackend();

const dir = temporaryFolder('load-tracked');
const detector = 'weights/nano-grounding-dino';

it('segments a clip with models from folders, and frees both', async () => {
  const masker = join(dir, 'masker');
  await writeNanoMemory(masker);
  const before = tf.memory().numTensors;
  const segmenter = await TrackedSegmenter.load({ detector, masker });
  const domain = phantomDomains['standard'] as PhantomDomain;
  const clip = generatePhantomClip(3, { width: 96, height: 80, domain, frames: 2, leaves: false });
  const frames: number[] = [];
  for await (const { frame } of segmenter.segment(clip, 'cyst. lesion')) frames.push(frame);
  expect(frames).toEqual([0, 1]);
  segmenter.dispose();
  expect(tf.memory().numTensors).toBe(before);
});

it('refuses a masker without a memory by its name, and frees what it loaded', async () => {
  const before = tf.memory().numTensors;
  await expect(TrackedSegmenter.load({ detector, masker: 'weights/nano-sam2' })).rejects.toMatchObject({
    code: 'E_MODEL_TYPE',
    message: expect.stringMatching(/weights\/nano-sam2.*expected a masker with a memory/),
  });
  expect(tf.memory().numTensors).toBe(before);
});

it('reports a masker that is not there as any other', async () => {
  await expect(TrackedSegmenter.load({ detector, masker: join(dir, 'none') })).rejects.toMatchObject({
    code: 'E_MODEL_NOT_FOUND',
  });
});
