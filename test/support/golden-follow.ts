import { expect } from '@jest/globals';
import { type BinaryMask, maskLogitsToBinary } from '../../src/imaging/index.js';
import type { ClipTracker, ClipTracking, TrackedFrame } from '../../src/infer/index.js';
import { GoldenCase } from './golden.js';
import { goldenClip } from './video-fixture.js';

/** The disc that the fixture's third object is given as. */
const DISC = {
  width: 64,
  height: 64,
  data: Uint8Array.from({ length: 64 * 64 }, (_, i) => (((i % 64) - 20) ** 2 + (Math.floor(i / 64) - 50) ** 2 < 90 ? 1 : 0)),
};

/**
 * Follows, corrects, reverses and adds to the objects of a golden clip as the reference did, and expects its masks and scores.
 *
 * @param tolerance - of logits, of masks and of the object score.
 */
export async function expectGoldenClip(name: string, tracking: ClipTracking, tolerance = 2e-4): Promise<void> {
  const golden = await GoldenCase.read(name);
  const clip = goldenClip(await GoldenCase.read('sam2-video'));
  const tracker = await tracking.track(clip);
  const seen = new Set<string>();
  const differ: string[] = [];
  const check = (stage: string, { frame, objects }: TrackedFrame) => {
    for (const { object, mask, objectScore } of objects) {
      const key = `out.${stage}.${frame}.${object}`;
      seen.add(key);
      const logits = golden.array(`${key}.masks`).data as Float32Array;
      const given = object === 2 && frame === 6;
      // Pixels whose logit is zero to within the tolerance may be either.
      const [least, most] = [-tolerance, tolerance].map((by) =>
        given ? DISC : maskLogitsToBinary({ width: 16, height: 16, data: logits.map((value) => value + by) }, clip),
      ) as [BinaryMask, BinaryMask];
      const logit = (golden.array(`${key}.object_score`).data as Float32Array)[0] as number;
      const isWrong = (value: number, i: number) => value < (least.data[i] as number) || value > (most.data[i] as number);
      const pixels = mask.data.filter(isWrong).length;
      const error = Math.abs(Math.log(objectScore / (1 - objectScore)) - logit);
      if (pixels > 0 || error > tolerance) differ.push(`${key}: ${pixels} pixels, score by ${error}`);
    }
  };
  const propagate = async (stage: string, options: Parameters<ClipTracker['propagate']>[0]) => {
    for await (const frame of tracker.propagate(options)) check(stage, frame);
  };
  check('box', await tracker.prompt({ frame: 0, object: 1, box: [5, 12, 28, 29] }));
  const pair = { points: [[46, 44], [20, 20]], labels: [1, 0] } as const; // biome-ignore format: one a line says no more
  check('points', await tracker.prompt({ frame: 1, object: 7, ...pair }));
  check('point', await tracker.prompt({ frame: 6, object: 7, points: [[36, 44]], labels: [1] }));
  await propagate('forward', {});
  const correction = { points: [[28, 24], [50, 50]], labels: [1, 0] } as const; // biome-ignore format: one a line says no more
  check('correction', await tracker.prompt({ frame: 4, object: 1, ...correction }));
  await propagate('again', { from: 4 });
  await propagate('backward', { direction: 'backward', from: 7 });
  const added = await tracker.prompt({ frame: 6, object: 2, mask: DISC });
  check('mask', { ...added, objects: added.objects.filter(({ object }) => object === 2) });
  await propagate('added', { from: 6 });
  tracker.dispose();
  expect(differ).toEqual([]);
  expect([...seen].sort()).toEqual(
    golden
      .names('out.')
      .flatMap((key) => (key.endsWith('.masks') ? [`out.${key.slice(0, -'.masks'.length)}`] : []))
      .sort(),
  );
}
