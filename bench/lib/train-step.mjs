/** One training step of a detector with adapters, as the benches run it: forward, matching, loss, backward, AdamW. */
import { dist } from './dist.mjs';

/** Steps of the same shapes until one is a graph for certain. */
export const UNTIL_GRAPH = 3;

const BOXES = [
  [0.4, 0.5, 0.3, 0.2],
  [0.7, 0.3, 0.1, 0.2],
];
const TOKENS = [
  [1, 2],
  [4, 5],
];

/**
 * Puts the preset's adapters into the model; `all` trains the model itself. Passes are as a training run makes them: graphs once they
 * ran {@link UNTIL_GRAPH} times, where graphs can run.
 *
 * @param share - adds the gradients of several ranks.
 * @returns `trained`, the number of trained weights, and `run`, which takes one step and resolves to the seconds of its stages.
 * Its argument may replace the context in which the model runs: then operation by operation.
 */
export async function trainStep(model, inputs, preset, share = async (_, own) => own) {
  const { tf } = await dist('backend/index.js');
  const { applyLora, loraPresets } = await dist('lora/index.js');
  const { DetectionCriterion } = await dist('losses/index.js');
  const { TrainingPasses } = await dist('nn/index.js');
  const { AdamW } = await dist('train/optim/index.js');
  const { Rng, sizeOf } = await dist('util/index.js');
  if (preset !== 'all') applyLora(model, loraPresets[preset], Rng.seeded(1));
  const targets = Array.from({ length: inputs.inputIds.shape[0] }, () => ({ boxesCxcywh: BOXES, tokens: TOKENS }));
  const criterion = new DetectionCriterion({
    weights: { class: 1, bbox: 10, giou: 1, auxiliary: 1, encoder: 1 },
    costs: { class: 2, bbox: 5, giou: 2 },
  });
  const seen = new Set();
  const parameters = [...model.namedParameters()].filter(([, p]) => p.trainable && !seen.has(p) && seen.add(p));
  const optimiser = new AdamW([{ name: 'all', parameters }], { weightDecay: 1e-4, capture: true });
  const graphs = new TrainingPasses(model, { capture: true });
  const eager = new TrainingPasses(model);
  let step = 0;
  return {
    trained: parameters.reduce((sum, [, { shape }]) => sum + sizeOf(shape), 0),
    async run(wrap) {
      const stages = {};
      let from = performance.now();
      const mark = (what) => {
        stages[what] = (performance.now() - from) / 1000;
        from = performance.now();
      };
      const forward = (context) => model.forward(inputs, wrap === undefined ? context : wrap(context));
      const passes = wrap === undefined ? graphs : eager;
      const pass = await passes.forward({ variant: '', inputs, forward }, Rng.seeded(3, step++));
      const { outputs } = pass;
      await outputs.layers.at(-1).predBoxes.data();
      mark('forward');
      const { gradients: atOutputs } = await criterion.evaluate(outputs, inputs.attentionMask, targets);
      mark('loss');
      const gradients = await share(parameters, pass.backward(atOutputs));
      await optimiser.step(gradients, 5e-4);
      await [...gradients.values()].at(-1).data();
      mark('backward and update');
      tf.dispose([...gradients.values(), ...atOutputs.map(([, gradient]) => gradient)]);
      pass.dispose();
      return stages;
    },
  };
}
