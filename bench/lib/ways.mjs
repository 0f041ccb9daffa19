/** The two ways to run the parts of a pass (our-passes.mjs): as predictors do, and operation by operation. */
import { dist } from './dist.mjs';
import { stageClock } from './stage-clock.mjs';

const { canRunGraphs, tf } = await dist('backend/index.js');
const { InferencePasses, inference } = await dist('nn/index.js');

/** Passes of the same shapes that a predictor runs before the next one is a graph. */
export const UNTIL_GRAPH = 3;

/**
 * As predictors do: parts are graphs once they ran {@link UNTIL_GRAPH} times with the same shapes, where graphs can run at all
 * (`compiles`). `stages` are the seconds of the parts since the last call; `settle` waits for compilation.
 */
export function compiledWay() {
  const all = new Map();
  let sums = {};
  const inParts = (model) => {
    if (!all.has(model)) all.set(model, new InferencePasses(model));
    const passes = all.get(model);
    const run = (part, inputs, forward) => {
      const begin = performance.now();
      const outputs = passes.run(part, inputs, (given) => forward(given, inference));
      sums[part] = (sums[part] ?? 0) + (performance.now() - begin) / 1000;
      return outputs;
    };
    return { run };
  };
  return {
    inParts,
    compiles: () => canRunGraphs(),
    settle: () => Promise.all([...all.values()].map((passes) => passes.settle())),
    stages() {
      const own = Object.fromEntries(Object.entries(sums).map(([part, seconds]) => [part, Number(seconds.toFixed(4))]));
      sums = {};
      return own;
    },
  };
}

/** Operation by operation, as the first passes of a predictor run. The clock has the time of the model's blocks. */
export function eagerWay() {
  const clock = stageClock();
  const inParts = (model) => {
    const context = clock.context(inference).forModel(model);
    return { single: true, run: (_part, inputs, forward) => tf.tidy(() => forward(inputs, context)) };
  };
  return { inParts, clock };
}
