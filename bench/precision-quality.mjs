/**
 * What bfloat16 costs on annotated images: the shipped models in both precisions on the same images.
 *
 *   node bench/precision-quality.mjs --data DIR [--config configs/ultrasound.yaml] [--split val] [--most N] [--threshold 0.3]
 *
 * Prints for each dataset, over the structures that its images show: the mean DSC of the best box of the phrase, 0 without a box from
 * the threshold on; that with ground-truth boxes; and how much scores, boxes and masks differ between the precisions.
 */
import { parseArgs } from 'node:util';
import { dist, prepare } from './lib/dist.mjs';
import { median } from './lib/statistics.mjs';

const { values: options } = parseArgs({
  options: {
    data: { type: 'string' },
    config: { type: 'string', default: 'configs/ultrasound.yaml' },
    split: { type: 'string', default: 'val' },
    most: { type: 'string', default: '1000' },
    threshold: { type: 'string', default: '0.3' },
  },
});
await prepare();
const { initBackend } = await dist('backend/index.js');
const { loadConfig } = await dist('config/index.js');
const { GroundedSegmenter } = await dist('infer/index.js');
const { diceCoefficient } = await dist('metrics/index.js');
const { openData, runConfigSchema } = await dist('train/index.js');
await initBackend('tensorflow');

const config = await loadConfig(options.config, runConfigSchema, options.data === undefined ? [] : [`data.root=${options.data}`]);
const whole = (await openData(config.data, 0))[options.split];
const segmenters = [];
for (const precision of ['float32', 'bfloat16']) segmenters.push(await GroundedSegmenter.load({ precision }));
for (const part of whole.parts ?? [whole]) await judge(part);
for (const segmenter of segmenters) segmenter.dispose();

async function judge(dataset) {
  const dsc = { found: [[], []], given: [[], []] };
  const apart = { score: [], box: [], mask: [], given: [] };
  const step = Math.max(1, Math.ceil(dataset.size / Number(options.most)));
  let changed = 0;
  for (let i = 0; i < dataset.size; i += step) {
    const { image, objects } = await dataset.load(i);
    for (const phrase of new Set(objects.map((object) => object.phrase))) {
      const own = objects.filter((object) => object.phrase === phrase);
      const truth = united(own.map(({ mask }) => mask));
      const answers = [];
      for (const segmenter of segmenters) {
        const [best] = await segmenter.segment(image, [phrase], { threshold: 0.01, select: 'best-per-phrase' });
        await segmenter.masker.setImage(image);
        const given = await segmenter.masker.predictBoxes(own.map(({ boxXyxyPx }) => boxXyxyPx));
        answers.push({ best, given: united(given.map(({ mask }) => mask)) });
      }
      const counts = answers.map(({ best }) => best !== undefined && best.score >= Number(options.threshold));
      for (const [k, { best, given }] of answers.entries()) {
        dsc.found[k].push(counts[k] ? diceCoefficient(best.mask, truth) : 0);
        dsc.given[k].push(diceCoefficient(given, truth));
      }
      if (counts[0] !== counts[1]) changed += 1;
      const [single, half] = answers;
      apart.given.push(diceCoefficient(single.given, half.given));
      if (single.best === undefined || half.best === undefined) continue;
      apart.score.push(Math.abs(single.best.score - half.best.score));
      apart.box.push(Math.max(...single.best.boxXyxyPx.map((side, k) => Math.abs(side - half.best.boxXyxyPx[k]))));
      apart.mask.push(diceCoefficient(single.best.mask, half.best.mask));
    }
  }
  const mean = (list) => (list.reduce((a, b) => a + b, 0) / list.length) * 100;
  const shown = (list, digits, worst = Math.max) =>
    `median ${median(list).toFixed(digits)}, worst ${worst(...list).toFixed(digits)}`;
  console.log(`${dataset.name}: ${dsc.found[0].length} structures`);
  for (const [name, pair] of Object.entries(dsc)) console.log(`  DSC, ${name} boxes: ${pair.map((list) => mean(list).toFixed(2)).join(' in float32, ')} in bfloat16`); // biome-ignore format: short
  console.log(`  ${changed} pass the threshold in one precision alone`);
  console.log(`  scores differ by ${shown(apart.score, 4)}; boxes by ${shown(apart.box, 2)} pixels`);
  console.log(`  masks agree to a DSC of ${shown(apart.mask, 4, Math.min)}; with given boxes ${shown(apart.given, 4, Math.min)}`);
}

/** One mask of all. */
function united([first, ...others]) {
  const data = first.data.slice();
  for (const { data: more } of others) for (let i = 0; i < data.length; i++) data[i] |= more[i];
  return { ...first, data };
}
