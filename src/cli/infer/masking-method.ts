import {
  type BoxEntry,
  type BuiltEntry,
  checkWeights,
  findMethod,
  type PointEntry,
  RANDOM_WEIGHTS,
  requireTakes,
  type TextEntry,
  weightsOf,
} from '../../methods/index.js';
import { UsageError } from '../../util/index.js';

/** A method in place of the masker, or of both models, and its weights. */
export type MaskingMethod = Named<BoxEntry | PointEntry> | TextMethod;
export type TextMethod = Named<TextEntry>;

interface Named<Entry> {
  readonly entry: Entry;
  readonly weights: string;
}

interface NamedMethod {
  readonly name: string | undefined;
  readonly weights: string | undefined;
  readonly masker: string | undefined;
  readonly maskerAdapter: string | undefined;
}

/**
 * The method of `--method`, which masks the boxes that the detector finds for a prompt, or what is at their centres, or finds by
 * itself what the prompt says.
 *
 * @throws UsageError for an unknown method, one that takes exemplars, or options that belong to another masker.
 */
export function maskingMethod({ name, weights, masker, maskerAdapter }: NamedMethod): MaskingMethod | undefined {
  if (name === undefined) {
    if (weights === undefined) return undefined;
    throw new UsageError({
      code: 'E_OPTION_CONFLICT',
      where: '--weights',
      what: 'no method is named that it could belong to',
      fix: 'Name one with --method, or the weights of the models with --detector and --masker',
    });
  }
  const entry = findMethod(name);
  if (entry.takes === 'exemplars') requireTakes(entry, 'text', '--prompt');
  const [other] = Object.entries({ '--masker': masker, '--masker-adapter': maskerAdapter }).filter(
    ([, value]) => value !== undefined,
  );
  if (other !== undefined)
    throw new UsageError({
      code: 'E_OPTION_CONFLICT',
      where: other[0],
      what: `${name} takes the place of the masker`,
      fix: 'Leave one of them out',
    });
  return { entry, weights: weightsNamed(entry, weights) } as MaskingMethod;
}

/**
 * The weights of `--method` that takes exemplars; undefined without a method.
 *
 * @throws UsageError for an unknown method, or one that does not take exemplars; CheckpointError for weights that are missing or not
 * the method's.
 */
export async function exemplarWeights({
  method,
  weights,
}: {
  readonly method: string | undefined;
  readonly weights: string | undefined;
}): Promise<string | undefined> {
  if (method === undefined) return undefined;
  const entry = findMethod(method);
  requireTakes(entry, 'exemplars', '--exemplars');
  const named = weightsNamed(entry, weights);
  await checkWeights(entry, named);
  return named;
}

/** `WEIGHTS` or `METHOD=WEIGHTS`, else the published ones. @throws UsageError for random ones. */
function weightsNamed(entry: BuiltEntry, weights: string | undefined): string {
  const named = weightsOf(entry, weights?.startsWith(`${entry.name}=`) ? weights.slice(entry.name.length + 1) : weights);
  if (named !== RANDOM_WEIGHTS) return named;
  throw new UsageError({
    code: 'E_OPTION_VALUE',
    where: '--weights',
    what: 'random weights find nothing',
    fix: `Name ${entry.weights.published}`,
  });
}

/** Whether a method finds by itself what a prompt says. */
export function findsByText(method: MaskingMethod | undefined): method is TextMethod {
  return method?.entry.takes === 'text';
}

/**
 * @param others - options of our detector by name, where they are given.
 * @throws UsageError for any of them: a method that finds by text has no detector, and gives no scores.
 */
export function refuseDetectorOptions({ entry }: TextMethod, others: Readonly<Record<string, unknown>>): void {
  const [other] = Object.entries(others).find(([, value]) => value !== undefined) ?? [];
  if (other === undefined) return;
  throw new UsageError({
    code: 'E_OPTION_CONFLICT',
    where: `--${other}`,
    what: `${entry.name} takes the place of the detector, and gives no scores`,
    fix: 'Leave one of them out',
  });
}
