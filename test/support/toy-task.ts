import { join } from 'node:path';
import { tf } from '../../src/backend/index.js';
import type { Sample } from '../../src/data/index.js';
import { Linear, Module } from '../../src/nn/index.js';
import type { TrainTask } from '../../src/train/index.js';
import { Rng } from '../../src/util/index.js';
import { saveCheckpoint } from '../../src/weights/index.js';

class Toy extends Module {
  readonly linear = this.child('linear', new Linear(3, 2));
}

/** A task of eight weights. Learns the number of objects from the mean colour; `spoil` changes what it sees of an image. */
export function toyTask(spoil: (sample: Sample) => number = () => 0): TrainTask {
  const model = new Toy();
  for (const [, parameter] of model.namedParameters()) parameter.initialise(Rng.seeded(1));
  const lossOf = (samples: readonly Sample[]) => () => {
    const input = tf.tensor2d(samples.map((sample) => [0, 1, 2].map((k) => (sample.image.data[k] ?? 0) / 255 + spoil(sample))));
    const wanted = tf.tensor2d(samples.map(({ objects }) => [objects.length, 1]));
    return tf.mean(tf.squaredDifference(model.linear.forward(input), wanted)) as tf.Scalar;
  };
  const totalOf = async (value: tf.Scalar) => {
    const [total = 0] = await value.data();
    value.dispose();
    return { total, terms: { squares: total } };
  };
  return {
    model,
    step: async (samples) => {
      const parameters = model.trainableParameters();
      const { value, grads } = tf.tidy(() =>
        tf.variableGrads(
          lossOf(samples),
          parameters.map((p) => p.value),
        ),
      );
      const gradients = new Map(parameters.map((p) => [p, grads[p.value.name] as tf.Tensor]));
      return { ...(await totalOf(value)), gradients, normaliser: samples.length };
    },
    loss: (samples) => totalOf(tf.tidy(lossOf(samples))),
    save: (to) => saveCheckpoint(model, join(to, 'model.safetensors')),
    dispose: () => {
      model.dispose();
    },
  };
}
