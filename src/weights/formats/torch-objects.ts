import { CheckpointError, shown, shownName } from '../../util/index.js';
import { damaged } from './file-bytes.js';
import type { PickleGlobal } from './pickle.js';

/** A flat array of elements, stored in its own file. */
export interface TorchStorage {
  /** The name of that file. */
  readonly key: string;
  /** In safetensors' terms. */
  readonly dtype: string;
  readonly elements: number;
}

/** A view of a storage. */
export interface TorchTensor {
  readonly storage: TorchStorage;
  /** In elements. */
  readonly offset: number;
  readonly shape: readonly number[];
  /** In elements. */
  readonly stride: readonly number[];
}

/** Element types of torch's storage classes, in safetensors' terms. */
const STORAGES: Readonly<Record<string, string>> = {
  DoubleStorage: 'F64',
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
};

/** The objects created by {@link tensorOf}, so that nothing else in a pickle passes for a tensor. */
const tensors = new WeakSet<object>();
const storages = new WeakSet<object>();

/** The allowed names, with their substitutes; all others are rejected. */
export function torchGlobal(where: string): (module: string, name: string) => PickleGlobal {
  const callable: Readonly<Record<string, (args: readonly unknown[]) => unknown>> = {
    'collections.OrderedDict': () => new Map(),
    'torch._utils._rebuild_tensor_v2': (args) => tensorOf(args, where),
    'torch._utils._rebuild_parameter': ([data]) => data,
    'torch.Size': ([sizes]) => sizes,
    // Training scripts of the DETR family store this beside the weights; its fields are dropped.
    'argparse.Namespace': () => new Map(),
  };
  return (module, name) => {
    const full = `${module}.${name}`;
    if (module === 'torch' && Object.hasOwn(STORAGES, name)) return { name: full };
    const build = Object.hasOwn(callable, full) ? callable[full] : undefined;
    if (build !== undefined) return { name: full, build };
    throw new CheckpointError({
      code: 'E_WEIGHTS_UNSAFE',
      where,
      what: `it refers to ${shownName(full)}, which weights do not need and which is therefore not read`,
      fix: 'Save the weights alone in Python: torch.save(model.state_dict(), path)',
    });
  };
}

/** Resolves `('storage', torch.FloatStorage, key, device, elements)`. */
export function torchStorage(where: string): (id: unknown) => TorchStorage {
  return (id) => {
    const [tag, type, key, , elements] = Array.isArray(id) ? (id as unknown[]) : [];
    const name = (type as Partial<PickleGlobal> | undefined)?.name?.replace(/^torch\./, '') ?? '';
    const dtype = Object.hasOwn(STORAGES, name) ? STORAGES[name] : undefined;
    if (tag !== 'storage' || dtype === undefined || typeof key !== 'string' || !isCount(elements))
      throw damaged(where, 'a storage in it is not described as torch.save does it');
    const storage = { key, dtype, elements };
    storages.add(storage);
    return storage;
  };
}

function tensorOf([storage, offset, shape, stride]: readonly unknown[], where: string): TorchTensor {
  const whole =
    typeof storage === 'object' &&
    storage !== null &&
    storages.has(storage) &&
    isCount(offset) &&
    isCounts(shape) &&
    isCounts(stride) &&
    shape.length <= MAX_AXES &&
    shape.length === stride.length &&
    Number.isSafeInteger(shape.reduce((product, count) => product * count, 1));
  if (!whole) throw damaged(where, 'a tensor in it is not described as torch.save does it');
  const tensor = { storage: storage as TorchStorage, offset, shape, stride };
  tensors.add(tensor);
  return tensor;
}

/** PyTorch's own limit. */
const MAX_AXES = 64;

/** Maximum length of a tensor's name. */
const MAX_NAME = 1000;

/** Keys under which training scripts store the weights. */
const WRAPPERS = ['model', 'state_dict', 'model_state_dict'];

/**
 * Extracts the named tensors: from a state dict itself, or one inside a dictionary with other entries.
 *
 * @throws CheckpointError when there is none.
 */
export function stateDictOf(value: unknown, path: string): Map<string, TorchTensor> {
  if (!(value instanceof Map)) throw noWeights(path, 'it holds no table of weights');
  const wrapped = WRAPPERS.map((key) => value.get(key)).find((inner) => inner instanceof Map) as
    | Map<unknown, unknown>
    | undefined;
  const entries = [...(wrapped ?? value)];
  const strange = entries.find(([name, tensor]) => typeof name !== 'string' || !isTensor(tensor));
  if (strange !== undefined)
    throw noWeights(
      path,
      `${shown(strange[0])} in it is ${typeof strange[0] === 'string' ? 'not a tensor' : 'no name of a tensor'}`,
    );
  const endless = entries.find(([name]) => (name as string).length > MAX_NAME)?.[0] as string | undefined;
  if (endless !== undefined) throw noWeights(path, `a tensor in it has a name of ${endless.length} characters`);
  if (entries.length === 0) throw noWeights(path, 'its table of weights is empty');
  return new Map(entries as [string, TorchTensor][]);
}

function isTensor(value: unknown): value is TorchTensor {
  return typeof value === 'object' && value !== null && tensors.has(value);
}

function noWeights(where: string, what: string): CheckpointError {
  return new CheckpointError({
    code: 'E_WEIGHTS_FORMAT',
    where,
    what,
    fix: 'Save the weights in Python: torch.save(model.state_dict(), path)',
  });
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isCount);
}
