import { tf } from '../backend/index.js';
import { type AdapterFile, type AdapterTensor, openAdapter, rememberBase, trainOnly, wrap } from '../lora/index.js';
import type { Module, Parameter } from '../nn/index.js';
import { CheckpointError } from '../util/index.js';
import type { NamedArray } from '../weights/formats/index.js';
import { FiniteCheck, fromTorchLayout } from '../weights/index.js';
import { namingOf } from './adapter-naming.js';
import { type FittedAdapters, fitAdapter } from './fit-adapter.js';

/** Number of problems listed in an error. */
const LISTED = 20;

/**
 * Loads a saved adapter into a model: the adapters themselves, and the values of fully trained modules. Afterwards exactly these
 * are trainable.
 *
 * @param path - a folder in PEFT's format, or a bare weight file (for Grounding DINO also in the authors' naming); without a
 * configuration alpha equals the rank, as in the published code.
 * @throws CheckpointError listing every key that does not fit the model, every layer that the configuration names but the file
 * lacks, or every weight with NaN or infinite values.
 */
export async function loadAdapter(model: Module, path: string): Promise<void> {
  const naming = namingOf(model);
  const file = await openAdapter(path, naming.namings);
  try {
    const fitted = fitAdapter(model, file, naming);
    if (fitted.problems.length > 0) throw misfit(file, fitted.problems);
    await assignAll(model, file, await readAll(file, fitted), fitted);
  } finally {
    await file.weights.close();
  }
}

/** Reads all assigned values, by key. Copies are compared and dropped. */
async function readAll({ weights, where }: AdapterFile, { adapters, whole }: FittedAdapters): Promise<Map<string, NamedArray>> {
  const finite = new FiniteCheck();
  const values = new Map<string, NamedArray>();
  const problems: string[] = [];
  const read = async ({ key }: AdapterTensor) => {
    const array = await weights.read(key);
    finite.look(weights.fileOf(key), key, array);
    values.set(key, array);
    return array;
  };
  const compare = async (first: NamedArray, copy: AdapterTensor, name: string) => {
    if (!equal(first, await weights.read(copy.key))) problems.push(`${name} should be a copy, but differs`);
  };
  for (const { a, b, copies } of adapters) {
    const [low, high] = [await read(a), await read(b)];
    for (const copy of copies) {
      await compare(low, copy.a, copy.name);
      await compare(high, copy.b, copy.name);
    }
  }
  for (const { tensor, copies } of whole) {
    const array = await read(tensor);
    for (const copy of copies) await compare(array, copy.tensor, copy.name);
  }
  finite.check();
  if (problems.length > 0) throw misfit({ where }, problems);
  return values;
}

async function assignAll(
  model: Module,
  { config }: AdapterFile,
  values: ReadonlyMap<string, NamedArray>,
  { adapters, whole }: FittedAdapters,
): Promise<void> {
  const put = (parameter: Parameter, { key }: AdapterTensor) => assign(parameter, values.get(key) as NamedArray);
  for (const { place, written, a, b } of adapters) {
    const rank = a.shape[0] as number;
    const alpha = config === undefined ? rank : config.alphaOf(written, rank);
    const adapter = wrap(model, place, { rank, alpha, dropout: config?.dropout ?? 0 });
    put(adapter.loraA, a);
    put(adapter.loraB, b);
  }
  trainOnly(model, []);
  for (const { parameter, tensor } of whole) {
    const base = await parameter.value.data<'float32'>();
    put(parameter, tensor);
    rememberBase(parameter, { base, tuned: await parameter.value.data<'float32'>() });
    parameter.trainable = true;
  }
}

function misfit({ where }: Pick<AdapterFile, 'where'>, problems: readonly string[]): CheckpointError {
  const listed = problems.slice(0, LISTED);
  if (problems.length > LISTED) listed.push(`and ${problems.length - LISTED} more`);
  const fix = 'Check that the adapter was trained on this model, and copy all of it again';
  return new CheckpointError({
    code: 'E_ADAPTER_MISMATCH',
    where,
    what: `the adapter does not fit the model: ${listed.join('; ')}`,
    fix,
  });
}

function equal(one: NamedArray, other: NamedArray): boolean {
  return one.data.length === other.data.length && one.data.every((value, i) => value === other.data[i]);
}

function assign(parameter: Parameter, { data, shape }: NamedArray): void {
  tf.tidy(() => parameter.assign(fromTorchLayout(tf.tensor(data, [...shape], 'float32'), parameter.layout)));
}
