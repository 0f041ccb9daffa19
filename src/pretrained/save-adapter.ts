import { join } from 'node:path';
import {
  ADAPTER_CONFIG,
  ADAPTER_WEIGHTS,
  adaptersIn,
  type LoraLinear,
  type LoraSpec,
  PEFT_PREFIX,
  type Place,
  placesFitting,
  placesIn,
} from '../lora/index.js';
import type { Module, Parameter } from '../nn/index.js';
import { writeFileAtomic } from '../util/index.js';
import { type NamedArray, writeSafetensors } from '../weights/formats/index.js';
import { toTorchLayout } from '../weights/index.js';
import { namingOf, pythonPaths } from './adapter-naming.js';

/**
 * Writes the adapters and fully trained modules of a model in PEFT's format: `adapter_config.json` and
 * `adapter_model.safetensors`. Python reads it with `inject_adapter_in_model` and `set_peft_model_state_dict`.
 *
 * Fully trained modules are written once, under their first path, and `modules_to_save` contains that path as in the file,
 * including `base_model.model.`: Python then assigns the values to the weights themselves, which its tied modules share. A
 * shorter name would match as a suffix, wrap one of the tied modules and leave the others unchanged. An adapter of a shared
 * module is written once for each corresponding module in Python.
 *
 * @param base - name or folder of the base model, written as `base_model_name_or_path`.
 */
export async function saveAdapter(model: Module, dir: string, spec: LoraSpec, base?: string): Promise<void> {
  const { adapterPaths } = namingOf(model);
  const adapters = adaptersIn(model).flatMap(({ module, paths: [path] }) =>
    pythonPaths(path, adapterPaths).map((name) => ({ module, name })),
  );
  const whole = outermost(placesFitting(placesIn(model), spec.modulesToSave ?? [], 'lora.modulesToSave'));
  const arrays = new Map<string, NamedArray>();
  for (const { module, name } of adapters) {
    arrays.set(`${PEFT_PREFIX}${name}.lora_A.weight`, await arrayOf(module.loraA));
    arrays.set(`${PEFT_PREFIX}${name}.lora_B.weight`, await arrayOf(module.loraB));
  }
  const written = new Set<Parameter>();
  for (const { module, paths } of whole) {
    for (const [path, parameter] of module.namedParameters(paths[0])) {
      if (!written.has(parameter)) arrays.set(PEFT_PREFIX + path, await arrayOf(parameter));
      written.add(parameter);
    }
  }
  const own = (pick: (adapter: LoraLinear) => number, common: number) =>
    Object.fromEntries(adapters.flatMap(({ module, name }) => (pick(module) === common ? [] : [[escaped(name), pick(module)]])));
  const config = {
    peft_type: 'LORA',
    task_type: null,
    base_model_name_or_path: base ?? null,
    inference_mode: true,
    r: spec.rank,
    lora_alpha: spec.alpha,
    lora_dropout: spec.dropout ?? 0,
    bias: 'none',
    fan_in_fan_out: false,
    init_lora_weights: true,
    target_modules: adapters.map(({ name }) => name),
    modules_to_save: whole.length === 0 ? null : whole.map(({ paths }) => PEFT_PREFIX + paths[0]),
    rank_pattern: own(({ rank }) => rank, spec.rank),
    alpha_pattern: own(({ alpha }) => alpha, spec.alpha),
    use_rslora: false,
    use_dora: false,
  };
  await writeSafetensors(join(dir, ADAPTER_WEIGHTS), arrays, { metadata: { format: 'pt' } });
  await writeFileAtomic(join(dir, ADAPTER_CONFIG), `${JSON.stringify(config, null, 2)}\n`);
}

async function arrayOf({ value, layout }: Parameter): Promise<NamedArray> {
  const stored = toTorchLayout(value, layout);
  const { shape } = stored;
  const data = await stored.data<'float32'>();
  stored.dispose();
  return { dtype: 'float32', shape, data };
}

/** The modules that are not inside another one of the list. */
function outermost(places: readonly Place[]): Place[] {
  const inside = new Set(
    places.flatMap(({ module }) => [...module.namedModules()].flatMap(([, below]) => (below === module ? [] : [below]))),
  );
  return places.filter(({ module }) => !inside.has(module));
}

function escaped(path: string): string {
  return path.replace(/\./g, '\\.');
}
