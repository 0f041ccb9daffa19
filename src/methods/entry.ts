import type { Size } from '../imaging/index.js';
import type { GroundedSegmenter, Masker, PointMasker } from '../infer/index.js';
import type { ExemplarSegmenter } from './exemplars.js';

/** What a method is given besides the image. */
export type PromptKind = 'text' | 'box' | 'point' | 'exemplars';

/** What is known of a method without its weights. */
export interface MethodFacts {
  /** Name in options and tables. */
  readonly name: string;
  /** Name in its publication. */
  readonly title: string;
  readonly takes: PromptKind;
  readonly licence: {
    readonly code: string;
    readonly weights: string;
  };
  /** Datasets that its published weights were trained on, as far as known. Absent: unknown for every dataset. */
  readonly trainedOn?: {
    readonly datasets: readonly string[];
    readonly source: string;
  };
  readonly weights: {
    /** Where the published weights are, in words. */
    readonly published: string;
    /** The short name under which `download` knows them, of several models the names separated by commas; default of the weights. */
    readonly shortName?: string;
    /** What each of several models is called, in the order in which their weights are named: `CLIP,SAM`. Absent: there is one. */
    readonly parts?: readonly [string, string, ...string[]];
  };
  /** Whether it can be run with random weights of the published size. Default: false. */
  readonly random?: boolean;
  /** How the published form differs from the one here. Absent: it does not, or the method is not implemented. */
  readonly asPublished?: string;
  /** Whose code has the published form: that of the comparison, or that of the method's authors. Default: the comparison's. */
  readonly departedBy?: 'comparison' | 'authors';
}

/** In place of weights: random ones, to try out everything around a method without its published file. */
export const RANDOM_WEIGHTS = 'random';

/** Options for loading a method. */
export interface CreateOptions {
  /** Run the published form of the method, where that differs. Default: false. */
  readonly asPublished?: boolean | undefined;
}

/**
 * Loads the method.
 *
 * @param weights - a folder, a file, the name of a downloaded model, or {@link RANDOM_WEIGHTS} for a method that allows it; of several
 * models, separated by commas.
 * @throws CheckpointError for weights that are not the method's.
 */
export type CreateMethod<Model> = (weights: string, options: CreateOptions) => Promise<Model>;

/** Parsers of the configurations that a model may have, by their `model_type`. */
type ModelConfigs = Readonly<Record<string, (json: unknown) => unknown>>;

/** A method that is given one kind of prompt, and how to load it. */
interface Loadable<Kind extends PromptKind, Model> extends MethodFacts {
  readonly takes: Kind;
  /** Of each of its models, in the order of its weights: whether weights are a method's shows before they are loaded. */
  readonly configs: readonly [ModelConfigs, ...ModelConfigs[]];
  readonly create: CreateMethod<Model>;
}

/** A method that segments what a box encloses. */
export type BoxEntry = Loadable<'box', Masker>;

/** A method that segments what a point marks. */
export type PointEntry = Loadable<'point', PointMasker> & {
  /** The grid on which points are drawn from the ground truth. */
  readonly grid: Size;
};

/** A method that segments what the masks of other images show. */
export type ExemplarEntry = Loadable<'exemplars', ExemplarSegmenter>;

/** A method that finds and segments what a text says. */
export type TextEntry = Loadable<'text', GroundedSegmenter>;

/** A method that is implemented. */
export type BuiltEntry = BoxEntry | PointEntry | ExemplarEntry | TextEntry;

/** A method of the comparison; without `create` it is not implemented yet. */
export type MethodEntry = BuiltEntry | (MethodFacts & { readonly create?: undefined });
