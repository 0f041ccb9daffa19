/**
 * Compares the head circumference of HC18's ground-truth masks, measured as `infer` measures, with the circumference that the
 * dataset's table states. No model runs. Needs a build (any command makes one).
 *
 *   npm run import-data -- --dataset hc18 --from HC18 --to data/hc18
 *   node tools/measure/hc18.mjs --data data/hc18 --table HC18/training_set_pixel_size_and_HC.csv [--split train]
 */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { parse } from 'csv-parse/sync';
import { CocoDataset } from '../../dist/data/index.js';
import { isMeasured, measureMask } from '../../dist/measure/index.js';
import { agreementOf } from '../../dist/metrics/index.js';

const { values } = parseArgs({
  options: { data: { type: 'string' }, table: { type: 'string' }, split: { type: 'string', default: 'train' } },
});
if (values.data === undefined || values.table === undefined)
  throw new Error('usage: node tools/measure/hc18.mjs --data DIR --table CSV [--split train]');

const rows = parse(await readFile(values.table, 'utf8'), { bom: true, from_line: 2 });
const stated = new Map(rows.map(([name, , millimetres]) => [name.replace(/\.\w+$/, '').toLowerCase(), Number(millimetres)]));
const dataset = await CocoDataset.open(values.data, values.split);
const measured = { perimeter: [], 'ellipse circumference': [] };
const pixels = [];
for (let i = 0; i < dataset.size; i++) {
  const { id, objects, spacingMm } = await dataset.load(i);
  const truth = [...stated].find(([name]) => id.toLowerCase().endsWith(name))?.[1];
  if (objects.length !== 1 || spacingMm === undefined || !(truth > 0)) {
    console.error(
      `${id}: ${objects.length} masks, pixels of ${spacingMm ?? 'unknown size'}, circumference ${truth ?? 'unknown'}; left out`,
    );
    continue;
  }
  const result = measureMask(objects[0].mask, { kind: 'image', spacingMm, source: 'dataset' });
  if (!isMeasured(result)) throw new Error(`${id}: ${result.reason}`);
  pixels.push(spacingMm[0]);
  measured.perimeter.push({ measured: result.perimeterMm, truth });
  if (result.ellipse) measured['ellipse circumference'].push({ measured: result.ellipse.circumferenceMm, truth });
}
const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
console.log(`${pixels.length} images of the ${values.split} split; a pixel is ${mean(pixels).toFixed(3)} mm on average`);
console.log('| measure | n | mean error (mm) | bias (mm) | limits of agreement (mm) | mean error (%) |');
console.log('| --- | --- | --- | --- | --- | --- |');
for (const [name, pairs] of Object.entries(measured)) {
  const { n, meanError, bias, limits } = agreementOf(pairs);
  const relative = mean(pairs.map(({ measured: own, truth }) => (100 * Math.abs(own - truth)) / truth));
  const numbers = [meanError, bias].map((value) => value.toFixed(2)).join(' | ');
  console.log(
    `| ${name} | ${n} | ${numbers} | ${limits.map((value) => value.toFixed(2)).join(' to ')} | ${relative.toFixed(2)} |`,
  );
}
