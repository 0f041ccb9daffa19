import { tf } from '../backend/index.js';
import type { Rng } from '../util/index.js';
import { Parameter, type ParameterOptions } from './parameter.js';

/**
 * Base class of every layer and model: a `tf.layers.Layer` that, unlike stock layers, owns its children and their parameters
 * under dotted paths; freezing and disposal reach all of them.
 *
 * A path is the key in a Hugging Face checkpoint: `this.child('q_proj', new Linear(…))` inside `layers.0.self_attn` gives
 * `layers.0.self_attn.q_proj.weight`. Subclasses define a typed `forward`.
 */
export abstract class Module extends tf.layers.Layer {
  /** The name that `tf.layers` displays for this class. */
  static get className(): string {
    // biome-ignore lint/complexity/noThisInStatic: each subclass answers with its own name.
    return this.name;
  }

  private readonly childModules = new Map<string, Module>();
  private readonly ownParameters = new Map<string, Parameter>();

  constructor() {
    super({});
  }

  /** Registers a child under its checkpoint name and returns it. */
  protected child<T extends Module>(name: string, module: T): T {
    if (this.childModules.has(name)) throw new Error(`${this.constructor.name}: two children are named ${name}`);
    this.childModules.set(name, module);
    return module;
  }

  /** Registers a list of children as `name.0`, `name.1`, … and returns it. */
  protected childList<T extends Module>(name: string, modules: T[]): T[] {
    for (const [i, module] of modules.entries()) this.child(`${name}.${i}`, module);
    return modules;
  }

  /** Registers a parameter under its checkpoint name and returns it. */
  protected parameter(name: string, shape: readonly number[], options: ParameterOptions): Parameter {
    const parameter = new Parameter(shape, options);
    this.adopt(name, parameter);
    return parameter;
  }

  /** Registers an existing parameter, as a wrapper does for the layer that it wraps. */
  protected adopt(name: string, parameter: Parameter): void {
    if (this.ownParameters.has(name)) throw new Error(`${this.constructor.name}: two parameters are named ${name}`);
    this.ownParameters.set(name, parameter);
  }

  /** All modules below (and this one, under `prefix`) with their paths, parents first. A shared module appears once per path. */
  *namedModules(prefix = ''): Generator<[string, Module]> {
    yield [prefix, this];
    for (const [name, module] of this.childModules) yield* module.namedModules(prefix === '' ? name : `${prefix}.${name}`);
  }

  /** All parameters below with their paths. A shared parameter appears once per path. */
  *namedParameters(prefix = ''): Generator<[string, Parameter]> {
    for (const [path, module] of this.namedModules(prefix)) {
      for (const [name, parameter] of module.ownParameters) yield [path === '' ? name : `${path}.${name}`, parameter];
    }
  }

  /** The distinct trainable parameters. */
  trainableParameters(): Parameter[] {
    const found = new Set<Parameter>();
    for (const [, parameter] of this.namedParameters()) if (parameter.trainable) found.add(parameter);
    return [...found];
  }

  /** Makes all parameters below trainable or frozen. */
  setTrainable(trainable: boolean): void {
    for (const [, parameter] of this.namedParameters()) parameter.trainable = trainable;
  }

  /**
   * Replaces the module at `path`, both in the tree and in the parent's field, list or record that holds it. If the module is
   * shared, it is only replaced along this path: call once per path.
   *
   * @throws Error when the path does not exist.
   */
  replace(path: string, replacement: Module): void {
    for (const [name, module] of this.childModules) {
      if (path === name) {
        this.childModules.set(name, replacement);
        swapIn(this as unknown as Record<string, unknown>, module, replacement);
        return;
      }
      if (path.startsWith(`${name}.`)) {
        module.replace(path.slice(name.length + 1), replacement);
        return;
      }
    }
    throw new Error(`${this.constructor.name}: there is no module at ${path}`);
  }

  /** Initialises all parameters that have no values yet. */
  initialise(rng: Rng): void {
    for (const [, parameter] of this.namedParameters()) if (!parameter.isSet) parameter.initialise(rng);
  }

  override dispose(): { refCountAfterDispose: number; numDisposedVariables: number } {
    let numDisposedVariables = 0;
    for (const [, parameter] of this.namedParameters()) {
      if (parameter.isSet) numDisposedVariables += 1;
      parameter.dispose();
    }
    return { refCountAfterDispose: 0, numDisposedVariables };
  }
}

/** Replaces a module in the fields of an object, and in lists and plain records among them. */
function swapIn(holder: Record<string, unknown>, old: Module, replacement: Module): void {
  for (const [key, value] of Object.entries(holder)) {
    if (value === old) holder[key] = replacement;
    else if (Array.isArray(value) || (value && Object.getPrototypeOf(value) === Object.prototype))
      swapIn(value as Record<string, unknown>, old, replacement);
  }
}
