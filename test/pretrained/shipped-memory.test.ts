import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';
import { generatePhantomClip, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { loadSam2VideoPredictor } from '../../src/infer/index.js';
import { diceCoefficient } from '../../src/metrics/index.js';
import { loadSam2Masker, loadSam2VideoParts } from '../../src/pretrained/index.js';
import { useBackend } from '../support/backend.js';
import { temporaryFolder } from '../support/temporary-folder.js';

useBackend();
const dir = temporaryFolder('shipped-memory');

it('the shipped memory joins the shipped masker, whose weights stay, and follows an object from its box', async () => {
  const whole = join(dir, 'tracker');
  await promisify(execFile)('node', [
    'tools/real/join-memory.mjs',
    'weights/ultrasound-masker',
    'weights/ultrasound-memory',
    whole,
  ]);
  const [images, joined] = [await loadSam2Masker('weights/ultrasound-masker'), await loadSam2VideoParts(whole)];
  const parameters = new Map(joined.model.namedParameters());
  let kept = 0;
  for (const [path, { value }] of images.model.namedParameters()) {
    if (path.startsWith('mask_decoder.pred_obj_score_head.')) continue;
    expect(await parameters.get(path)?.value.data()).toEqual(await value.data());
    kept += 1;
  }
  expect(kept).toBeGreaterThan(200);
  for (const { model } of [images, joined]) model.dispose();
  const video = await loadSam2VideoPredictor(whole);
  const domain = phantomDomains['standard'] as PhantomDomain;
  const clip = generatePhantomClip(7_200_021_600, { width: 192, height: 160, domain, frames: 8, leaves: false });
  const [object] = clip.objects(0);
  if (object === undefined) throw new Error('the phantom is empty');
  const tracker = await video.track(clip);
  await tracker.prompt({ frame: 0, object: 1, box: object.boxXyxyPx });
  const scores: number[] = [];
  for await (const { frame, objects } of tracker.propagate()) {
    const truth = clip.objects(frame).find(({ track }) => track === object.track);
    const [found] = objects;
    if (found === undefined || truth === undefined) throw new Error(`frame ${frame}: it is gone`);
    scores.push(diceCoefficient(found.mask, truth.mask));
  }
  expect(scores).toHaveLength(8);
  // 0.977 on average over 20 frames of this clip; frame 0 is the masker's own.
  for (const score of scores) expect(score).toBeGreaterThan(0.9);
  tracker.dispose();
  video.dispose();
});
