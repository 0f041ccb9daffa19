import { ensureBackend } from '../backend/index.js';
import { GroundedSegmenter, type LoadOptionsOrBoxes, type Masker, type PointMasker } from '../infer/index.js';
import { readModelConfig, resolveModel } from '../pretrained/index.js';
import { CheckpointError, type ErrorCode, SonogroundError, UsageError } from '../util/index.js';
import { type BoxEntry, type BuiltEntry, type CreateOptions, type PointEntry, RANDOM_WEIGHTS } from './entry.js';
import type { ExemplarSegmenter } from './exemplars.js';
import { describeGiven, findMethod } from './registry.js';
import { weightParts } from './weight-parts.js';

/** Options of {@link loadMethod}. */
export interface LoadMethodOptions extends CreateOptions {
  /**
   * A folder, a file, or the name of a downloaded model; of a method of several models, separated by commas. Default: the
   * published weights, if `download` knows them.
   */
  readonly weights?: string | undefined;
}

/** A loaded method, by what it is given. */
export type LoadedMethod =
  | { readonly takes: 'box'; readonly model: Masker }
  | { readonly takes: 'point'; readonly model: PointMasker }
  | { readonly takes: 'exemplars'; readonly model: ExemplarSegmenter }
  | { readonly takes: 'text'; readonly model: GroundedSegmenter };

/** The model that a method loads. */
export type ModelOf<Entry extends BuiltEntry> = Awaited<ReturnType<Entry['create']>>;

/** Failures of loading that may come from the weights of another method. */
const FOREIGN: readonly ErrorCode[] = ['E_MODEL_TYPE', 'E_MODEL_INCOMPLETE', 'E_MODEL_CONFIG', 'E_WEIGHTS_MISMATCH'];

/**
 * Loads a method of the comparison. Initialises the fastest available backend unless one was initialised before.
 *
 * @throws UsageError for an unknown name, one that is not implemented, or weights that must be named; CheckpointError for weights
 *   that are missing or not the method's.
 * @example
 * import { decodeImage } from 'sonoground';
 * import { loadMethod } from 'sonoground/models';
 *
 * const medsam = await loadMethod('medsam', { weights: 'medsam' }); // a folder, the authors' file, or a downloaded model
 * if (medsam.takes !== 'box') throw new Error('MedSAM takes boxes');
 * await medsam.model.setImage(await decodeImage('scan.png'));
 * const [lesion] = await medsam.model.predictBoxes([[40, 30, 120, 90]]);
 * console.log(lesion?.score);
 * medsam.model.dispose();
 */
export async function loadMethod(name: string, options: LoadMethodOptions = {}): Promise<LoadedMethod> {
  const entry = findMethod(name);
  if (entry.takes === 'text') return { takes: 'text', model: await createMethod(entry, options) };
  if (entry.takes === 'box') return { takes: 'box', model: await createMethod(entry, options) };
  if (entry.takes === 'point') return { takes: 'point', model: await createMethod(entry, options) };
  return { takes: 'exemplars', model: await createMethod(entry, options) };
}

/** Loads the model of a method; see {@link loadMethod}. */
export async function createMethod<Entry extends BuiltEntry>(
  entry: Entry,
  { weights, ...options }: LoadMethodOptions,
): Promise<ModelOf<Entry>> {
  const named = weightsOf(entry, weights);
  requirePublishedForm(entry, options);
  await ensureBackend();
  return namingTheMethod(entry, () => entry.create(named, options) as Promise<ModelOf<Entry>>);
}

/**
 * Reads the configuration of each model of a method, which for published files follows from the shapes of their weights, and nothing
 * else: weights of another method are found before anything slow begins.
 *
 * @throws UsageError as {@link weightsOf}, and for fewer or more weights than the method has models; CheckpointError for weights that
 *   are missing or not the method's.
 */
export async function checkWeights(entry: BuiltEntry, weights: string | undefined): Promise<void> {
  const parts = weightParts(entry, weightsOf(entry, weights));
  if (parts[0] === RANDOM_WEIGHTS) return;
  await namingTheMethod(entry, async () => {
    for (const [i, configs] of entry.configs.entries()) await readModelConfig(await resolveModel(parts[i] as string), configs);
  });
}

/** Says of weights of another method whose they should be. */
async function namingTheMethod<T>(entry: BuiltEntry, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if (!(cause instanceof SonogroundError) || !FOREIGN.includes(cause.code)) throw cause;
    throw new CheckpointError({
      code: 'E_METHOD_WEIGHTS',
      where: cause.where,
      what: `these are not weights of ${entry.name}: ${cause.what}`,
      fix: `Name ${entry.weights.published}. ${describeGiven(entry)}`,
      cause,
    });
  }
}

/**
 * The weights of a method: those named, else the published ones.
 *
 * @throws UsageError when none are named and `download` does not know them, or random ones are and the method has none.
 */
export function weightsOf({ name, weights, random = false }: BuiltEntry, named: string | undefined): string {
  const found = named ?? weights.shortName;
  if (found === RANDOM_WEIGHTS && !random)
    throw new UsageError({
      code: 'E_OPTION_VALUE',
      where: name,
      what: 'it cannot be run with random weights',
      fix: `Name ${weights.published}`,
    });
  if (found !== undefined) return found;
  throw new UsageError({
    code: 'E_OPTION_MISSING',
    where: name,
    what: 'no weights are named',
    fix: `Name ${weights.published}`,
  });
}

/** @throws UsageError when a form is asked for in which the method was not published. */
export function requirePublishedForm({ name, asPublished }: BuiltEntry, options: CreateOptions): void {
  if (options.asPublished !== true || asPublished !== undefined) return;
  throw new UsageError({
    code: 'E_OPTION_CONFLICT',
    where: name,
    what: 'it was published as it is run here',
    fix: 'Leave the published form out',
  });
}

/** A detector with a method in place of its masker that takes boxes, or points: their centres. */
export async function segmenterWith(
  entry: BoxEntry | PointEntry,
  { weights, detector }: { readonly weights: string; readonly detector: LoadOptionsOrBoxes },
): Promise<GroundedSegmenter> {
  const masker = await createMethod(entry, { weights });
  try {
    const { detector: finder } = await GroundedSegmenter.load({ ...detector, masker: null, maskerAdapter: undefined });
    return new GroundedSegmenter(finder, masker);
  } catch (error) {
    masker.dispose();
    throw error;
  }
}
