/**
 * Fine-tuning on few images: the demo's recipe (configs/demo.yaml) on 10, 30, 100 and 300 images of a dataset, several draws of
 * each, with LoRA, with all parameters trained, and from random weights; next to the constant-mask baseline of the same images.
 * Results are appended to TO/lines.jsonl; a run that is in it is not repeated.
 *
 *   node bench/quality/few-images.mjs --data DIR/hc18 --to runs/few-hc18 [--counts 10,30,100,300] [--draws 3] [--methods lora,full,scratch]
 *     [--held-out 100]
 *
 * DIR/hc18 is an imported dataset. Each draw takes its training images from the training split, one of a group while there are groups left;
 * the 20 validation images and all test images stay the same. With --held-out, these come from the training split too, so many test images
 * of groups kept apart from all others, and the dataset's own validation and test splits are not read.
 */
import { appendFile, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { initBackend } from '../../dist/backend/index.js';
import { loadConfig } from '../../dist/config/index.js';
import { Rng } from '../../dist/util/index.js';
import { demoSchema, runDemo } from '../../dist/workflows/index.js';

const VALIDATION = 20;
/** Training images in one epoch, repeats counted, so that rehearsal has the same share whatever their number. */
const SEEN = 180;
const METHODS = {
  lora: (config) => config,
  full: (config) => withoutLora(config, 'pretrained'),
  scratch: (config) => withoutLora(config, 'random'),
};

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    to: { type: 'string' },
    counts: { type: 'string', default: '10,30,100,300' },
    draws: { type: 'string', default: '3' },
    methods: { type: 'string', default: Object.keys(METHODS).join(',') },
    'held-out': { type: 'string' },
    set: { type: 'string', multiple: true, default: [] },
  },
});

function usage(problem) {
  console.error(`few-images: ${problem}`);
  process.exit(2);
}

const counts = values.counts.split(',').map(Number);
const methods = values.methods.split(',');
const draws = Number(values.draws);
const heldOut = values['held-out'] === undefined ? undefined : Number(values['held-out']);
if (values.data === undefined || values.to === undefined) usage('expected --data DIR and --to DIR');
if (![...counts, draws, heldOut ?? 1].every((count) => Number.isInteger(count) && count > 0))
  usage('--counts, --draws and --held-out: expected integers above 0');
for (const method of methods)
  if (!(method in METHODS)) usage(`--methods: no method is called "${method}". Choose from ${Object.keys(METHODS).join(', ')}`);

/** The demo's recipe with all parameters trained, at a quarter of its rate, which was not tuned. */
function withoutLora(config, start) {
  const all = ({ lora: _, train, ...rest }) => ({
    ...rest,
    train: { ...train, learningRate: train.learningRate / 4, preflight: false },
  });
  return { ...config, model: { ...config.model, start }, detector: all(config.detector), masker: all(config.masker) };
}

/** One image of each group before a second one of any, in an order drawn by chance. */
function drawn(images, count, rng) {
  const seen = new Map();
  const turn = (group) => {
    const times = seen.get(group) ?? 0;
    seen.set(group, times + 1);
    return times;
  };
  return rng
    .shuffle(images)
    .map((image, i) => ({ image, i, turn: turn(image.group ?? image.id) }))
    .sort((a, b) => a.turn - b.turn || a.i - b.i)
    .slice(0, count)
    .map(({ image }) => image);
}

async function readPart(part) {
  return JSON.parse(await readFile(join(values.data, 'annotations', `${part}.json`), 'utf8'));
}

async function readSplits() {
  const [train, val, test] = await Promise.all(['train', 'val', 'test'].map(readPart));
  return { train, val, test };
}

/** Three splits of the training split, whole groups each: `count` test images, {@link VALIDATION} for validation, and the rest. */
async function heldOutOfTraining(count) {
  const whole = await readPart('train');
  const groups = new Map();
  for (const image of whole.images) {
    const key = image.group ?? image.id;
    groups.set(key, [...(groups.get(key) ?? []), image]);
  }
  const queue = Rng.seeded(0, 2).shuffle([...groups.values()]);
  const take = (least) => {
    const taken = [];
    while (taken.length < least && queue.length > 0) taken.push(...queue.shift());
    if (taken.length < least)
      usage(`${values.data}: the training split has ${whole.images.length} images, too few for --held-out ${count}`);
    return taken;
  };
  const split = (images) => ({ ...whole, images });
  return { test: split(take(count)), val: split(take(VALIDATION)), train: split(queue.flat()) };
}

/** A dataset folder whose images and masks are the whole one's. */
async function writeSubset(dir, parts) {
  await rm(dir, { recursive: true, force: true });
  await mkdir(join(dir, 'annotations'), { recursive: true });
  for (const folder of ['images', 'masks']) await symlink(resolve(values.data, folder), join(dir, folder));
  for (const [part, { whole, images }] of Object.entries(parts)) {
    const ids = new Set(images.map(({ id }) => id));
    const annotations = whole.annotations.filter(({ image_id }) => ids.has(image_id));
    await writeFile(join(dir, 'annotations', `${part}.json`), JSON.stringify({ ...whole, images, annotations }));
  }
}

async function linesOf(file) {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

const quiet = { info: () => {}, warn: console.warn };
await mkdir(values.to, { recursive: true });
await initBackend('tensorflow', quiet, 'training');
const { train, val, test } = await (heldOut === undefined ? readSplits() : heldOutOfTraining(heldOut));
const validation = drawn(val.images, VALIDATION, Rng.seeded(0, 1));
const file = join(values.to, 'lines.jsonl');
const made = new Set((await linesOf(file)).map(({ method, count, draw }) => `${method} ${count} ${draw}`));
/** A folder elsewhere, under the name that a set of the recipe has. */
async function link(from, to) {
  await rm(to, { force: true });
  await symlink(resolve(from), to);
}

const recipe = await loadConfig('configs/demo.yaml', demoSchema, values.set);

const rehearsed = recipe.data.sets.slice(1).filter(({ phantom }) => phantom === undefined);
for (const { name, folder = name } of rehearsed) await link(join(recipe.data.root, folder), join(values.to, folder));

for (const count of counts) {
  if (count > train.images.length) usage(`${values.data}: ${train.images.length} training images are not ${count}`);
  for (let draw = 1; draw <= draws; draw++) {
    const subset = resolve(values.to, `${basename(values.data)}-${count}-${draw}`);
    await writeSubset(subset, {
      train: { whole: train, images: drawn(train.images, count, Rng.seeded(draw, count)) },
      val: { whole: val, images: validation },
      test: { whole: test, images: test.images },
    });
    for (const method of methods) {
      if (made.has(`${method} ${count} ${draw}`)) continue;
      const [learnt, ...others] = recipe.data.sets;
      const name = basename(subset);
      const repeat = Math.max(1, Math.round(SEEN / count));
      const config = METHODS[method]({
        ...recipe,
        data: { ...recipe.data, root: values.to, sets: [{ ...learnt, name, folder: name, repeat }, ...others] },
        run: { dir: join(values.to, `${method}-${count}-${draw}`), seed: draw },
        judged: { ...recipe.judged, learnt: subset },
      });
      const began = performance.now();
      const { before, after, constantMask, retained } = await runDemo(demoSchema.parse(config), {
        logger: quiet,
        onProgress: () => {},
      });
      const minutes = Math.round((performance.now() - began) / 600) / 100;
      const line = {
        method,
        count,
        draw,
        before: before.dsc,
        after: after.dsc,
        constantMask: constantMask.dsc,
        lost: retained.lost,
        minutes,
      };
      await appendFile(file, `${JSON.stringify(line)}\n`);
      console.log(JSON.stringify(line));
    }
  }
}
