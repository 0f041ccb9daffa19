import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { initBackend, tf } from '../../src/backend/index.js';
import type { GroundingDinoInputs } from '../../src/models/grounding-dino/index.js';
import { CheckpointedTape, type ForwardContext, type TensorRecord, tensorsIn } from '../../src/nn/index.js';
import { type DetectorParts, loadDetector } from '../../src/pretrained/index.js';
import { collateText } from '../../src/processing/index.js';
import { Rng } from '../../src/util/index.js';
import { useBackend } from '../support/backend.js';
import { normalTensor } from '../support/random.js';
import { describeUnless, notNative } from '../support/skipped.js';

useBackend();
const missing = notNative(await initBackend());

const BATCH = 5;
/** As a training step pads prompts. */
const TOKENS = 16;
/** Parts of the batch: their first image, and their number of images. */
const PARTS: readonly (readonly [from: number, images: number])[] = [
  [0, 2],
  [2, 3],
  ...Array.from({ length: BATCH }, (_, i) => [i, 1] as const),
];

/** What a block gave. */
interface Given {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array | Uint8Array;
}

/** The outputs of every block: first those of the forward pass, then of its repetition under a tape for the gradient. */
function everyOutput({ model }: DetectorParts, inputs: GroundingDinoInputs): Given[] {
  const given: Given[] = [];
  const note = (outputs: TensorRecord) => {
    for (const [name, tensor] of Object.entries(outputs)) {
      const at = `${given.length}: ${name} [${tensor?.shape.slice(1).join()}]`;
      if (tensor !== undefined) given.push({ name: at, shape: tensor.shape, values: tensor.dataSync() });
    }
    return outputs;
  };
  const tape = new CheckpointedTape(Rng.seeded(1));
  const context: ForwardContext = {
    training: true,
    block: (owners, x, fn) => tape.block(owners, x, (own, mode) => note(fn(own, mode)) as ReturnType<typeof fn>),
    detach: (x) => tape.detach(x),
  };
  const outputs = model.forward(inputs, context);
  const tracked = tensorsIn(outputs).filter((tensor) => tape.isTracked(tensor));
  const { gradients } = tape.backward(tracked.map((tensor) => [tensor, tf.onesLike(tensor)]));
  tf.dispose([...gradients.values()]);
  tape.dispose();
  return given;
}

describeUnless(missing, 'a detector in training', () => {
  let parts: DetectorParts;
  beforeAll(async () => {
    parts = await loadDetector('weights/nano-grounding-dino', { random: Rng.seeded(3) });
    // Layers that begin at zero would hide what comes before them.
    const rng = Rng.seeded(4);
    for (const [, parameter] of parts.model.namedParameters())
      parameter.assign(tf.add(parameter.value, normalTensor(parameter.shape, rng, 0.02)));
  });
  afterAll(() => void parts.model.dispose());

  it('gives an image the same bits alone, in twos and threes, and in a larger batch', () => {
    const prompt = parts.tokenizer.encode(['cyst', 'kidney', 'left ventricle']); // 9 tokens
    const pixelValues = normalTensor<tf.Rank.R4>([BATCH, 112, 128, 3], 5);
    const outputsOf = (from: number, images: number) =>
      everyOutput(parts, {
        pixelValues: pixelValues.slice([from, 0, 0, 0], [images, -1, -1, -1]),
        ...collateText(
          Array.from({ length: images }, () => prompt),
          TOKENS,
        ),
      });
    const whole = outputsOf(0, BATCH);
    for (const [from, images] of PARTS) {
      const part = outputsOf(from, images);
      expect(part.map(({ name }) => name)).toEqual(whole.map(({ name }) => name));
      for (const [i, { name, shape, values }] of part.entries()) {
        const { shape: larger, values: all } = whole[i] as Given;
        const size = (all.length / (larger[0] as number)) * (shape[0] as number);
        // Positions belong to no image.
        const start = larger[0] === shape[0] ? 0 : (size / images) * from;
        const differs = values.findIndex((value, k) => !Object.is(value, all[start + k]));
        if (size !== values.length || differs >= 0) throw new Error(`${images} from image ${from}: ${name}`);
      }
    }
  });
});
