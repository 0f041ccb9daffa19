/**
 * Takes steps of the nano detector as one of several ranks: `mpirun -n RANKS node ranks-gradients-child.mjs STEPS [SEED]`. Before each,
 * rank 0 computes the same step from the whole batch alone, with the same weights. Prints how the two differ, as JSON.
 */

import { connectRanks } from './connect-ranks.mjs';

const mpi = connectRanks();
const { ranks } = mpi;
const { initBackend, tf } = await import('../../dist/backend/index.js');
const { BatchLoader, PhantomDataset, phantomDomains, vocabularyOf } = await import('../../dist/data/index.js');
const { DetectionCriterion } = await import('../../dist/losses/index.js');
const { loadDetector } = await import('../../dist/pretrained/index.js');
const { DetectorTask, runConfigSchema } = await import('../../dist/train/index.js');
const { AdamW, GlobalNorm, groupParameters } = await import('../../dist/train/optim/index.js');
const { takeStep } = await import('../../dist/train/step.js');
const { trainable } = await import('../../dist/train/run-folder/training-state.js');
const { haveSameArrays } = await import('../../dist/train/ranks/index.js');
const { Rng } = await import('../../dist/util/index.js');

const [steps, seed] = [Number(process.argv[2]), Number(process.argv[3] ?? 1)];
await initBackend('auto');
const parts = await loadDetector('weights/nano-grounding-dino', { random: Rng.seeded(3) });
// Layers that begin at zero would leave much of the model without a gradient, and equal scores would tie.
const rng = seed === 1 ? Rng.seeded(4) : Rng.seeded(4, seed);
for (const [, parameter] of parts.model.namedParameters()) {
  const noise = Float32Array.from({ length: parameter.value.size }, () => rng.normal(0, 0.02));
  parameter.assign(tf.add(parameter.value, tf.tensor(noise, parameter.shape)));
}
const phantoms = new PhantomDataset({ size: 16, seed, width: 64, height: 56, domain: phantomDomains.shifted });
const phrases = (await vocabularyOf(phantoms)).slice(0, 4);
const dataset = {
  name: 'one prompt',
  size: phantoms.size,
  async load(index) {
    const sample = await phantoms.load(index);
    return { ...sample, phrases, objects: sample.objects.filter(({ phrase }) => phrases.includes(phrase)) };
  },
};
const { train: config } = runConfigSchema.parse({
  run: { dir: 'unused' },
  data: { format: 'phantom' },
  train: { batchSize: 5, clipNorm: 0.1, learningRate: 1e-3, warmupSteps: 2 },
});

/** Queries and objects that were matched, by decoder layer and image. */
let matched = [];
class Watched extends DetectionCriterion {
  async match(...args) {
    const matches = await super.match(...args);
    matched.push(matches.map((images) => images.map((image) => image.map(({ query, object }) => [query, object]))));
    return matches;
  }
}
const criterion = new Watched({
  weights: { class: 1, bbox: 10, giou: 1, auxiliary: 1, encoder: 1 },
  costs: { class: 2, bbox: 5, giou: 2 },
});
const task = new DetectorTask({ ...parts, criterion, save: async () => {} });
const parameters = trainable(task);

/** Notes gradients; updates only where asked to. */
class Notes extends AdamW {
  constructor(updates) {
    super(updates ? groupParameters(parameters, [], config.learningRate) : []);
    this.updates = updates;
  }

  async step(gradients, ...rest) {
    this.gradients = new Map();
    for (const [path, parameter] of parameters)
      this.gradients.set(path, (await gradients.get(parameter)?.data())?.slice() ?? new Float32Array(parameter.value.size));
    return this.updates ? super.step(gradients, ...rest) : true;
  }
}

const [alone, shared] = [new Notes(false), new Notes(true)];
const options = { task, config, seed, totalSteps: steps, ema: undefined, norm: new GlobalNorm(), parameters };
const loaderOptions = { batchSize: config.batchSize, shuffle: true, seed, augment: 'none' };
const whole = new BatchLoader(dataset, loaderOptions);
const own = new BatchLoader(dataset, { ...loaderOptions, part: { index: ranks.rank, of: ranks.size } });
const batchesOf = async (loader) => {
  const batches = [];
  for (let epoch = 0; batches.length < steps; epoch++) for await (const samples of loader.epoch(epoch)) batches.push(samples);
  return batches.slice(0, steps);
};
const [wholes, owns] = [await batchesOf(whole), await batchesOf(own)];

const largest = (values) => values.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
const results = [];
const tensors = [];
for (let step = 0; step < steps; step++) {
  matched = [];
  const expected = ranks.isRoot ? await takeStep([wholes[step]], step, { ...options, optimiser: alone }) : undefined;
  const expectedMatches = matched[0];
  matched = [];
  const report = await takeStep([owns[step]], step, { ...options, ranks, optimiser: shared });
  tensors.push(tf.memory().numTensors);
  const parts = (await ranks.gather(matched)).flat();
  const same = await haveSameArrays(ranks, { parameters, optimiser: shared, ema: undefined });
  if (expected === undefined) continue;
  const matches = parts[0].map((_, layer) => parts.flatMap((part) => part[layer]));
  const errors = parameters.map(([path]) => {
    const [actual, wanted] = [shared.gradients.get(path), alone.gradients.get(path)];
    return { path, largest: largest(wanted), difference: largest(actual.map((value, i) => value - wanted[i])) };
  });
  results.push({
    images: wholes[step].length,
    loss: [report.total, expected.total],
    norm: [report.norm, expected.norm],
    terms: [report.terms, expected.terms],
    errors,
    sameMatches: JSON.stringify(matches) === JSON.stringify(expectedMatches),
    matches: matches.flat(2).length,
    sameOnAllRanks: same,
  });
}
await ranks.gather('done');
if (ranks.isRoot) process.stdout.write(JSON.stringify({ results, tensors }));
mpi.close();
