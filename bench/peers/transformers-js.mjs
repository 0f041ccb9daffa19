/**
 * transformers.js's process of run.mjs, with the protocol of bench/side.py. Arguments: kind (detector or masker), threads, folder of the
 * exported model, folder of the package, variant of the export. It runs onnxruntime-node on local files.
 */
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { dist } from '../lib/dist.mjs';

const [kind, threads, folder, packageFolder, variant] = process.argv.slice(2);
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
const reason = (error) => ({ refused: `${error.name}: ${error.message}`.replace(/\s+/g, ' ').slice(0, 300) });

try {
  const pass = await passes();
  const { version } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8'));
  say({ version, precision: 'float32' });
  for await (const line of createInterface({ input: process.stdin })) say(await answer(pass, line.trim()).catch(reason));
} catch (error) {
  say(reason(error));
}

async function answer(pass, line) {
  const [word, question, file] = line.split(' ');
  if (word === 'save') {
    await save(await pass(question), file);
    return { saved: file };
  }
  const [begin, used] = [performance.now(), process.cpuUsage()];
  await pass(line);
  const seconds = (performance.now() - begin) / 1000;
  const { user, system } = process.cpuUsage(used);
  return { seconds, cpuSeconds: (user + system) / 1e6, peakMb: process.resourceUsage().maxRSS / 1000 };
}

async function passes() {
  const { AutoModelForZeroShotObjectDetection, env, Sam2Model, Tensor } = await import(pathToFileURL(await entryOf()).href);
  env.allowRemoteModels = false;
  env.localModelPath = `${dirname(folder)}/`;
  const options = {
    dtype: 'fp32',
    device: 'cpu',
    session_options: { intraOpNumThreads: Number(threads), interOpNumThreads: 1 },
    ...(variant === 'gather' && { model_file_name: 'model_gather' }),
  };
  const { readSafetensors } = await dist('weights/formats/index.js');
  const { arrays } = await readSafetensors(join(folder, 'inputs.safetensors'));
  const tensor = (name, count) => {
    const { data, shape, dtype } = arrays.get(name);
    if (dtype === 'int32') return new Tensor('int64', BigInt64Array.from(data, BigInt), shape);
    return count === undefined
      ? new Tensor('float32', data, shape)
      : new Tensor('float32', data.slice(0, 4 * count), [1, count, 4]);
  };
  if (kind === 'detector') {
    const model = await AutoModelForZeroShotObjectDetection.from_pretrained(basename(folder), options);
    const inputs = Object.fromEntries(
      ['pixel_values', 'input_ids', 'token_type_ids', 'attention_mask'].map((name) => [name, tensor(name)]),
    );
    const [, , height, width] = inputs.pixel_values.dims;
    inputs.pixel_mask = new Tensor('int64', new BigInt64Array(height * width).fill(1n), [1, height, width]);
    return () => model(inputs);
  }
  const model = await Sam2Model.from_pretrained(basename(folder), options);
  let embeddings = {};
  return async (question) => {
    if (question !== 'encode') return model({ ...embeddings, input_boxes: tensor('input_boxes', Number(question)) });
    embeddings = await model.get_image_embeddings({ pixel_values: tensor('pixel_values') });
    return embeddings;
  };
}

/** The file that Node imports as the package. */
async function entryOf() {
  const { exports } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8'));
  return join(packageFolder, exports.node.import.default);
}

async function save(outputs, file) {
  const { writeSafetensors } = await dist('weights/formats/index.js');
  const arrays = new Map();
  for (const [name, { dims, data }] of Object.entries(outputs))
    if (data !== undefined) arrays.set(name, { dtype: 'float32', shape: dims, data: Float32Array.from(data) });
  await writeSafetensors(file, arrays);
}
