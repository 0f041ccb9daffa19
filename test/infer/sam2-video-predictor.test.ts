import { describe, it } from '@jest/globals';
import { Sam2VideoPredictor } from '../../src/infer/index.js';
import { useBackend } from '../support/backend.js';
import { expectGoldenClip } from '../support/golden-follow.js';
import { videoImages, videoModel } from '../support/video-fixture.js';

useBackend();

describe.each(['sam2-video', 'sam2-video-older'])('a clip of %s', (name) => {
  it('is followed, corrected, reversed and added to as by the reference', async () => {
    const predictor = new Sam2VideoPredictor({ model: await videoModel(name), imageProcessor: videoImages() });
    await expectGoldenClip(name, predictor);
    predictor.dispose();
  });
});
