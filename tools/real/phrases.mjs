/**
 * How a detector answers to different phrases about the same images: right ones, other words for them, and unrelated ones.
 *
 *   node tools/real/phrases.mjs DETECTOR DATASET "breast lesion. lump. kidney. bicycle" [--split val] [--threshold 0.3] [--every 1]
 *   node tools/real/phrases.mjs DETECTOR DATASET "breast lesion" --sweep
 *
 * DATASET is imported. For each phrase: in how many images with an object its best box reaches the threshold, the mean of that score,
 * and the DSC of its mask with all objects of the image, 0 where nothing is marked; then how many images without an object are marked.
 * --sweep prints DSC and marked images for several thresholds, the DSC at any score, and the AUC of images with against without an
 * object. Masks by the shipped masker; --every takes every n-th image. Use validation images: what is chosen by them is not tested by them.
 */
import { parseArgs } from 'node:util';
import { initBackend } from '../../dist/backend/index.js';
import { CocoDataset } from '../../dist/data/index.js';
import { unionOfMasks } from '../../dist/imaging/index.js';
import { GroundedSegmenter } from '../../dist/infer/index.js';
import { diceCoefficient, rocCurve } from '../../dist/metrics/index.js';
import { ultrasoundModels } from '../../dist/pretrained/index.js';
import { splitPrompt } from '../../dist/prompts/index.js';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    split: { type: 'string', default: 'val' },
    threshold: { type: 'string', default: '0.3' },
    every: { type: 'string', default: '1' },
    sweep: { type: 'boolean', default: false },
  },
});
const [detector, folder, words] = positionals;
if (words === undefined) {
  process.stderr.write(
    'phrases: usage: node tools/real/phrases.mjs DETECTOR DATASET "PHRASE. PHRASE" [--sweep]; see its first lines\n',
  );
  process.exit(2);
}
const ANY = 0.001;
const SWEEP = [0.2, 0.22, 0.24, 0.26, 0.28, 0.3, 0.32, 0.35, 0.4];

await initBackend('auto');
const dataset = await CocoDataset.open(folder, values.split);
const segmenter = await GroundedSegmenter.load({ detector, masker: ultrasoundModels.masker });

const phrases = splitPrompt(words);
const answers = new Map(phrases.map((phrase) => [phrase, []]));
for (let i = 0; i < dataset.size; i += Number(values.every)) {
  const { image, objects } = await dataset.load(i);
  const truth = objects.length > 0 ? unionOfMasks(objects.map(({ mask }) => mask)) : undefined;
  for (const phrase of phrases) {
    const [best] = await segmenter.segment(image, phrase, { threshold: ANY, select: 'best-per-phrase' });
    const dsc = truth && best ? diceCoefficient(best.mask, truth) : 0;
    answers.get(phrase).push({ score: best?.score ?? 0, shows: truth !== undefined, dsc });
  }
}
segmenter.dispose();

for (const [phrase, rows] of answers) {
  const [shown, without] = [rows.filter(({ shows }) => shows), rows.filter(({ shows }) => !shows)];
  const line = (threshold) => {
    const marked = (list) => list.filter(({ score }) => score >= threshold);
    const dsc = marked(shown).reduce((sum, row) => sum + row.dsc, 0) / shown.length;
    return `marked in ${marked(shown).length} of ${shown.length}, DSC ${(100 * dsc).toFixed(1)}; in ${marked(without).length} of ${without.length} without`;
  };
  const mean = shown.reduce((sum, { score }) => sum + score, 0) / shown.length;
  process.stdout.write(`${phrase}: ${line(Number(values.threshold))}; mean score ${mean.toFixed(3)}\n`);
  if (!values.sweep) continue;
  const { auc } = rocCurve(...[shown, without].map((list) => list.map(({ score }) => score)));
  process.stdout.write(`  AUC ${auc.toFixed(3)}; at any score ${line(0)}\n`);
  for (const threshold of SWEEP) process.stdout.write(`  from ${threshold}: ${line(threshold)}\n`);
}
