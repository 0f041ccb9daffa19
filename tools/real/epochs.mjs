// Prints a run's epochs as a table for docs/training.
//
//   node tools/real/epochs.mjs runs/ultrasound-detector [every]
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const [dir, every = '1'] = process.argv.slice(2);
if (dir === undefined) {
  console.error('expected the folder of a run');
  process.exit(2);
}
const events = (await readFile(join(dir, 'log.jsonl'), 'utf8'))
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line));
const epochs = events.filter(({ event }) => event === 'epoch');
const KNOWN = ['event', 'step', 'epoch', 'train', 'val', 'improved', 'monitored'];
for (const [i, epoch] of epochs.entries()) {
  if ((i + 1) % Number(every) !== 0 && i + 1 !== epochs.length && i !== 0) continue;
  const parts = Object.entries(epoch).filter(([name, value]) => !KNOWN.includes(name) && typeof value === 'number');
  const text = parts.map(([name, value]) => `${name} ${value.toFixed(3)}`).join(', ');
  console.log(`| ${epoch.epoch} | ${epoch.train.toFixed(3)} | ${epoch.val.toFixed(3)} | ${text} |`);
}
