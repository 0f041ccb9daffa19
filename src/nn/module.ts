import { tf } from '../backend/index.js';
import { Rng, sizeOf } from '../util/index.js';
import { layerVariable } from './layer-variable.js';
import { Parameter, type ParameterOptions } from './parameter.js';
import { computationChanged } from './revision.js';
import type { ConfigDict, Serializable, SerializableClass, Shape } from './serializable.js';

/**
 * Base class of every layer and model: a `tf.layers.Layer` that, unlike stock layers, owns its children and their parameters
 * under dotted paths; freezing and disposal reach all of them.
 *
 * A path is the key in a Hugging Face checkpoint: `this.child('q_proj', new Linear(…))` inside `layers.0.self_attn` gives
 * `layers.0.self_attn.q_proj.weight`. Subclasses define a typed `forward`, which the project's own code calls; `apply` and the rest
 * of the base class's interface are for programs that mix these layers with those of `tf.layers`.
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

  /** Makes all parameters below trainable or frozen, except buffers, which stay frozen. */
  setTrainable(trainable: boolean): void {
    for (const parameter of this.ownParameters.values()) parameter.trainable = trainable;
    for (const module of this.childModules.values()) module.setTrainable(trainable);
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
        computationChanged();
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

  /** Whether every parameter below has values. */
  override get built(): boolean {
    for (const [, parameter] of this.namedParameters()) if (!parameter.isSet) return false;
    return true;
  }

  /** `tf.layers` sets it; what counts is whether there are values. */
  override set built(_built: boolean) {}

  /**
   * Draws starting values where there are none at all, as `apply` does at its first call.
   *
   * @throws Error when some parameters have values and others do not: a checkpoint was loaded in part.
   */
  override build(_inputShape: Shape | Shape[]): void {
    const parameters = [...this.namedParameters()];
    const unset = parameters.filter(([, parameter]) => !parameter.isSet);
    if (unset.length > 0 && unset.length < parameters.length)
      throw new Error(
        `${this.name}: ${unset.length} of ${parameters.length} parameters have no values, such as ${unset[0]?.[0]}`,
      );
    if (unset.length > 0) this.initialise(Rng.seeded(this.id));
  }

  /**
   * Computes for `apply`, in evaluation mode.
   *
   * @throws Error where no tensor, or list of tensors, stands for all that the module needs.
   */
  override call(_inputs: tf.Tensor | tf.Tensor[], _kwargs: Record<string, unknown>): tf.Tensor | tf.Tensor[] {
    throw new Error(`${this.getClassName()}.apply: it takes more than tensors. Call ${methodsOf(this).join(' or ')} instead`);
  }

  /** @throws Error where the shape shows only when a tensor is given. */
  override computeOutputShape(_inputShape: Shape | Shape[]): Shape | Shape[] {
    throw new Error(`${this.name}: the shape of its result is not known before. Apply it to a tensor`);
  }

  /** Whether any parameter below is trainable. Setting it reaches all of them. */
  override get trainable(): boolean {
    const parameters = [...this.namedParameters()];
    return parameters.length === 0 || parameters.some(([, parameter]) => parameter.trainable);
  }

  /** Freezes or unfreezes all parameters below, except buffers. */
  override set trainable(trainable: boolean) {
    this.setTrainable(trainable);
  }

  /** Those of all modules below, in the order of their paths; each is called `NAME/PATH`. */
  override get trainableWeights(): tf.LayerVariable[] {
    return this.layerVariables().filter(({ trainable }) => trainable);
  }

  /** The frozen ones; see {@link trainableWeights}. */
  override get nonTrainableWeights(): tf.LayerVariable[] {
    return this.layerVariables().filter(({ trainable }) => !trainable);
  }

  /** A shared parameter comes once, under its first path. */
  private layerVariables(): tf.LayerVariable[] {
    const first = new Map<Parameter, string>();
    for (const [path, parameter] of this.namedParameters()) if (!first.has(parameter)) first.set(parameter, path);
    return [...first].map(([parameter, path]) => layerVariable(parameter, `${this.name}/${path}`));
  }

  /** How many numbers the parameters below hold; also before they have values. */
  override countParams(): number {
    return this.weights.reduce((sum, { shape }) => sum + sizeOf(shape as number[]), 0);
  }

  /**
   * Copies values into all parameters below.
   *
   * @param values - in the order of `weights`: the trainable ones before the frozen ones. They stay the caller's.
   * @throws Error when there are too few, too many, or a shape is another; then nothing was changed.
   */
  override setWeights(values: tf.Tensor[]): void {
    const { weights } = this;
    if (weights.length !== values.length)
      throw new Error(`${this.name}.setWeights: expected ${weights.length} tensors, got ${values.length}`);
    const pairs = weights.map((weight, i) => ({ weight, value: values[i] as tf.Tensor }));
    for (const { weight, value } of pairs)
      if (String(weight.shape) !== String(value.shape))
        throw new Error(`${this.name}.setWeights: ${weight.name} is [${weight.shape}], got [${value.shape}]`);
    for (const { weight, value } of pairs) weight.write(value);
  }

  /**
   * Makes a layer, without values, from what its `getConfig` gave: layers of this folder and whole models say all there.
   *
   * @throws Error for parts of models.
   */
  static override fromConfig<T extends Serializable>({ className }: SerializableClass<T>, _config: ConfigDict): T {
    throw new Error(`${className}.fromConfig: it is a part that its model makes. Make the model again`);
  }

  /** Gives a layer that {@link fromConfig} made what each configuration has. */
  protected static restored<T extends Serializable>(layer: Module, { name, trainable }: ConfigDict): T {
    if (typeof name === 'string') layer.name = name;
    if (trainable === false) layer.trainable = false;
    return layer as unknown as T;
  }

  /**
   * Frees all parameters below, and those of nobody else. As for any `tf.layers.Layer`, a layer that is part of several
   * `tf.LayersModel`s keeps them until as many calls were made. Safe to call again.
   */
  override dispose(): { refCountAfterDispose: number; numDisposedVariables: number } {
    if (this._refCount !== null && this._refCount > 1) {
      this._refCount -= 1;
      return { refCountAfterDispose: this._refCount, numDisposedVariables: 0 };
    }
    let numDisposedVariables = 0;
    for (const [, module] of this.namedModules()) {
      for (const parameter of module.ownParameters.values()) {
        if (parameter.isSet) numDisposedVariables += 1;
        parameter.dispose();
      }
      module._refCount = 0; // now apply says that it was disposed
    }
    return { refCountAfterDispose: 0, numDisposedVariables };
  }
}

/** The names of what a module computes with: `forward`, else each method of its class. */
function methodsOf(module: Module): string[] {
  const names = Object.entries(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(module) as object))
    .filter(([name, { value }]) => typeof value === 'function' && name !== 'constructor' && !(name in Module.prototype))
    .map(([name]) => name);
  return 'forward' in module ? ['forward'] : names;
}

/** Replaces a module in the fields of an object, and in lists and plain records among them. */
function swapIn(holder: Record<string, unknown>, old: Module, replacement: Module): void {
  for (const [key, value] of Object.entries(holder)) {
    if (value === old) holder[key] = replacement;
    else if (Array.isArray(value) || (value && Object.getPrototypeOf(value) === Object.prototype))
      swapIn(value as Record<string, unknown>, old, replacement);
  }
}
