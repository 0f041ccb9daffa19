import { Linear, type Module, type Parameter } from '../nn/index.js';
import { ConfigError, type Rng } from '../util/index.js';
import { LoraLinear, type LoraLinearOptions } from './lora-linear.js';
import { firstFitting, type Place, placesFitting, placesIn } from './peft-names.js';
import { type LoraReport, reportOf } from './report.js';
import type { LoraSpec } from './spec.js';

/**
 * Adds adapters to a model from outside, and freezes everything except them and the fully trained modules. A layer that is
 * reachable along several paths gets one adapter.
 *
 * @param rng - initialises the A matrices; B starts at zero, so the model's outputs are unchanged.
 * @throws ConfigError naming patterns that match nothing, and targets that are not linear layers.
 */
export function applyLora(model: Module, spec: LoraSpec, rng: Rng): LoraReport {
  const places = placesIn(model);
  const targets = placesFitting(places, spec.targetModules, 'lora.targetModules');
  const whole = placesFitting(places, spec.modulesToSave ?? [], 'lora.modulesToSave');
  for (const [where, patterns] of [
    ['lora.rankPattern', spec.rankPattern],
    ['lora.alphaPattern', spec.alphaPattern],
    ['lora.dropoutPattern', spec.dropoutPattern],
  ] as const)
    placesFitting(targets, Object.keys(patterns ?? {}), where);
  checkTargets(targets, whole);
  for (const place of targets) {
    const rank = firstFitting(spec.rankPattern ?? {}, place) ?? spec.rank;
    const alpha = firstFitting(spec.alphaPattern ?? {}, place) ?? spec.alpha;
    const dropout = firstFitting(spec.dropoutPattern ?? {}, place) ?? spec.dropout ?? 0;
    wrap(model, place, { rank, alpha, dropout }).start(rng.fork());
  }
  trainOnly(
    model,
    whole.map(({ module }) => module),
  );
  return reportOf(model);
}

/** Replaces a linear layer, along all its paths, by an uninitialised adapter around it. */
export function wrap(model: Module, { module, paths }: Place, options: LoraLinearOptions): LoraLinear {
  const wrapped = new LoraLinear(module as Linear, options);
  for (const path of paths) model.replace(path, wrapped);
  return wrapped;
}

/** Freezes everything except adapters and the parameters of the given modules. */
export function trainOnly(model: Module, whole: readonly Module[]): void {
  for (const parameter of parametersOf(model)) parameter.trainable = parameter.adapter;
  for (const module of whole) module.setTrainable(true);
}

/** The distinct parameters below a module, under their first paths. */
function parametersOf(model: Module): Set<Parameter> {
  return new Set([...model.namedParameters()].map(([, parameter]) => parameter));
}

/** The adapters below a module, each with its paths. */
export function adaptersIn(model: Module): (Place & { readonly module: LoraLinear })[] {
  return placesIn(model).filter((place): place is Place & { module: LoraLinear } => place.module instanceof LoraLinear);
}

function checkTargets(targets: readonly Place[], whole: readonly Place[]): void {
  const insideWhole = new Set(whole.flatMap(({ module }) => [...module.namedModules()].map(([, below]) => below)));
  const problems = targets.flatMap(({ module, paths: [path] }) => {
    if (module instanceof LoraLinear) return [`${path} has an adapter already`];
    if (!(module instanceof Linear)) return [`${path} is not a linear layer`];
    return insideWhole.has(module) ? [`${path} is trained whole by lora.modulesToSave`] : [];
  });
  if (problems.length > 0)
    throw new ConfigError({
      code: 'E_CONFIG_PATTERN',
      where: 'lora.targetModules',
      what: problems.join('; '),
      fix: 'Name linear layers, each once',
    });
}
