import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { initBackend, tf } from '../../src/backend/index.js';
import { generatePhantomClip, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { exportModel } from '../../src/export/index.js';
import { writeMasker } from '../../src/export/write-masker.js';
import type { BoxXyxy, Clip } from '../../src/imaging/index.js';
import { ExportedMemory } from '../../src/infer/exported/exported-memory.js';
import {
  type ClipTracking,
  ExportedTracking,
  type ExportForm,
  loadClipModels,
  loadSam2VideoPredictor,
  maskerWithMemory,
  openRunner,
} from '../../src/infer/index.js';
import { ProcessModel } from '../../src/infer/sam2-video/process-model.js';
import { trackerDefaults } from '../../src/infer/sam2-video/settings.js';
import { VideoTracker } from '../../src/infer/sam2-video/video-tracker.js';
import { stretchedImage } from '../../src/infer/square-image.js';
import { InferencePasses } from '../../src/nn/index.js';
import { useBackend } from '../support/backend.js';
import { fixturePath } from '../support/golden.js';
import { expectGoldenClip } from '../support/golden-follow.js';
import { writeNanoMemory } from '../support/nano-memory.js';
import { describeUnless, itUnless, notNative, notSlow } from '../support/skipped.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { videoImages, videoModel } from '../support/video-fixture.js';
import { WithMemoriesOf } from '../support/with-memories-of.js';

/** Graphs are recorded on TensorFlow. */
const missing = notNative(await initBackend());
useBackend();

const DETECTOR = 'weights/nano-grounding-dino';
const dir = temporaryFolder('export-memory');

describeUnless(missing, 'the graphs of a memory', () => {
  it.each([
    ['sam2-video', 'graph-model'],
    ['sam2-video-older', 'graph-model'],
  ] as const)('of %s as %s follow a clip as the reference does', async (name, form) => {
    const root = join(dir, `${name}-${form}`);
    const [model, imageProcessor] = [await videoModel(name), videoImages()];
    const parts = { type: 'sam2', model, config: model.config, imageProcessor } as const;
    const part = await writeMasker(parts, fixturePath(name), { form }, root);
    const own = part.verification.filter(({ what }) => /recall|place|object|take|memorise/.test(what));
    expect(own.length).toBeGreaterThan(20);
    for (const { what, max_abs_error: error, max_abs_value: value } of own)
      expect([what, error < 1e-4 * Math.max(1, value)]).toEqual([what, true]);
    const { memory } = part;
    if (memory === undefined) throw new Error('the manifest says nothing of a memory');
    const runner = await openRunner(root, form, part);
    const before = tf.memory().numTensors;
    const [square, passes] = [stretchedImage(imageProcessor), new InferencePasses(model)];
    const graphs = new ExportedMemory({ runner, part, memory, square });
    const both = new WithMemoriesOf(graphs, new ProcessModel(model, passes, square));
    const side = { width: graphs.imageSize, height: graphs.imageSize };
    await expectGoldenClip(name, {
      track: async (clip) =>
        new VideoTracker({ model: both, clip, toClip: (logits) => square.toImage(logits, side, clip), ...trackerDefaults }),
    });
    expect(both.wrong).toEqual([]);
    for (const owner of [both, graphs, passes]) owner.dispose();
    expect(tf.memory().numTensors).toBe(before);
    const tracking = new ExportedTracking(runner, imageProcessor, part, memory);
    for (const owner of [tracking, runner, model]) owner.dispose();
    await expect(tracking.track({ name: 'late' } as Clip)).rejects.toThrow(/it was disposed/);
  });
});

const forms: ExportForm[] = missing === undefined ? ['safetensors', 'savedmodel', 'graph-model'] : ['safetensors'];

/** A phantom that moves, and the box of its first object on the first frame. */
function phantom(): { readonly clip: Clip; readonly box: BoxXyxy } {
  const domain = phantomDomains['standard'] as PhantomDomain;
  const clip = generatePhantomClip(3, { width: 160, height: 120, domain, frames: 8, leaves: false });
  const [object] = clip.objects(0);
  if (object === undefined) throw new Error('the phantom is empty');
  return { clip, box: object.boxXyxyPx };
}

async function follow(tracking: ClipTracking): Promise<{ readonly masks: Uint8Array[]; readonly scores: number[] }> {
  const { clip, box } = phantom();
  const tracker = await tracking.track(clip);
  await tracker.prompt({ frame: 0, object: 1, box });
  const found = { masks: [] as Uint8Array[], scores: [] as number[] };
  for await (const { objects } of tracker.propagate())
    for (const { mask, objectScore } of objects) {
      found.masks.push(mask.data);
      found.scores.push(objectScore);
    }
  tracker.dispose();
  return found;
}

const followsAsItself = async (form: ExportForm) => {
  const masker = join(dir, 'nano-memory');
  await writeNanoMemory(masker);
  const to = join(dir, `whole-${form}`);
  await exportModel({ detector: DETECTOR, masker }, { form, to });
  expect(await maskerWithMemory({ detector: to })).toBe(join(to, 'masker'));
  const original = await loadSam2VideoPredictor(masker);
  const expected = await follow(original);
  original.dispose();
  const before = tf.memory().numTensors;
  const { segmenter, tracking } = await loadClipModels({ detector: to });
  if (tracking === undefined) throw new Error('it has no memory');
  const found = await follow(tracking);
  tracking.dispose();
  segmenter.dispose();
  expect(tf.memory().numTensors).toBe(before);
  expect(found.masks).toHaveLength(8);
  const area = (mask: Uint8Array) => mask.reduce((sum, value) => sum + value, 0);
  expect(expected.masks.map(area).every((pixels) => pixels > 50)).toBe(true);
  for (const [frame, mask] of found.masks.entries()) {
    const other = expected.masks[frame] as Uint8Array;
    // A pixel or two may lie on the outline to within rounding.
    expect(mask.reduce((sum, value, i) => sum + Number(value !== other[i]), 0)).toBeLessThanOrEqual(2);
    expect(found.scores[frame]).toBeCloseTo(expected.scores[frame] as number, 4);
  }
};

for (const form of forms)
  itUnless(
    form === 'savedmodel' ? notSlow : undefined,
    `an export as ${form} of the small masker with a memory follows a phantom as the masker itself`,
    () => followsAsItself(form),
  );

it('a masker without a memory is exported without its graphs, and followed frame by frame', async () => {
  const to = join(dir, 'without');
  const models = { detector: DETECTOR, masker: 'weights/nano-sam2' };
  const { masker } = await exportModel(models, { form: 'safetensors', to });
  expect(masker?.memory).toBeUndefined();
  expect(await maskerWithMemory({ detector: to })).toBeUndefined();
  const { segmenter, tracking } = await loadClipModels({ detector: to });
  expect(tracking).toBeUndefined();
  segmenter.dispose();
});
