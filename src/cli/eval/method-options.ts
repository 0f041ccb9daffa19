import type { ExemplarOptions, PointWay } from '../../eval/index.js';
import { findMethod, methodEntries } from '../../methods/index.js';
import { UsageError } from '../../util/index.js';
import type { MethodRequest } from '../../workflows/index.js';

/** The options of a command that name methods. */
export interface MethodOptions {
  readonly method: readonly string[];
  /** `METHOD=WEIGHTS`, or the weights alone where there is one method. */
  readonly weights: readonly string[];
  readonly asPublished: boolean;
}

/**
 * The methods that a command line names, each with its weights. Naming one twice is naming it once.
 *
 * @throws UsageError for an unknown method, one that is not implemented, and weights of a method that is not named.
 */
export function methodRequests({ method, weights, asPublished }: MethodOptions): MethodRequest[] {
  const names = [...new Set(method)];
  for (const name of names) findMethod(name);
  if (names.length === 0 && asPublished) throw withoutMethod('--as-published');
  const given = new Map<string, string>();
  for (const text of weights) {
    const [name, value] = split(text, names);
    if (given.has(name))
      throw new UsageError({
        code: 'E_OPTION_CONFLICT',
        where: '--weights',
        what: `${name} has two: ${given.get(name)} and ${value}`,
        fix: 'Name one',
      });
    given.set(name, value);
  }
  return names.map((name) => ({ name, weights: given.get(name), asPublished }));
}

/** A path may hold `=`, so that a text counts as a pair only if it begins with the name of a method. */
function split(text: string, names: readonly string[]): readonly [name: string, weights: string] {
  const [, name, value] = /^([a-z0-9-]+)=(.+)$/.exec(text) ?? [];
  if (name !== undefined && value !== undefined && names.includes(name)) return [name, value];
  if (names.length === 0) throw withoutMethod('--weights');
  const [only] = names;
  if (name !== undefined || text === '' || only === undefined || names.length > 1)
    throw new UsageError({
      code: 'E_OPTION_VALUE',
      where: '--weights',
      what: `expected METHOD=WEIGHTS for ${names.join(' or ')}, got ${JSON.stringify(text)}`,
      fix: `Write it as ${names[0] ?? 'medsam'}=FOLDER`,
    });
  return [only, text];
}

function withoutMethod(option: string): UsageError {
  return new UsageError({
    code: 'E_OPTION_CONFLICT',
    where: option,
    what: 'no method is named that it could belong to',
    fix: 'Name one with --method',
  });
}

/**
 * @param given - options of one kind of prompt, by name, undefined where they are not given.
 * @throws UsageError for the first that is given although none of the methods takes such a prompt.
 */
export function refuseWithoutTaker(
  methods: readonly string[],
  kind: 'point' | 'exemplars',
  given: Readonly<Record<string, unknown>>,
): void {
  const entries = methods.map(findMethod);
  const [option] = Object.entries(given).find(([, value]) => value !== undefined) ?? [];
  if (option === undefined || entries.some(({ takes }) => takes === kind)) return;
  const takers = methodEntries.filter(({ takes }) => takes === kind).map(({ name }) => name);
  throw new UsageError({
    code: 'E_METHOD_PROMPT',
    where: `--${option}`,
    what: `it is for methods that take ${kind === 'point' ? 'points' : 'exemplars'}, and ${entries.length === 0 ? 'no method is named' : `there is none among ${methods.join(', ')}`}`,
    fix: `Leave it out, or add --method ${takers.join(' or ')}`,
  });
}

/** The draw of exemplars: 16 with seed 0. @throws UsageError for a number that is none of images, or no seed. */
export function supportOf({
  support = 16,
  supportSeed = 0,
}: {
  readonly support?: number | undefined;
  readonly supportSeed?: number | undefined;
}): ExemplarOptions {
  for (const [where, value, least] of [
    ['--support', support, 1],
    ['--support-seed', supportSeed, 0],
  ] as const)
    if (!Number.isSafeInteger(value) || value < least)
      throw new UsageError({ code: 'E_OPTION_VALUE', where, what: `expected an integer from ${least} on, got ${value}` });
  return { count: support, seed: supportSeed };
}

/** Ways to draw a point. */
export const pointNames = ['fixed', 'random'] as const;
export type PointName = (typeof pointNames)[number];

/**
 * The ways to draw points from the ground truth, a row each. Default: the middle pixel.
 *
 * @throws UsageError for a seed that is none, or of points that are not random.
 */
export function pointsOf({
  point = ['fixed'],
  pointSeed: seeds,
}: {
  readonly point?: readonly PointName[] | undefined;
  readonly pointSeed?: readonly number[] | undefined;
}): PointWay[] {
  if (seeds !== undefined && !point.includes('random'))
    throw new UsageError({
      code: 'E_OPTION_CONFLICT',
      where: '--point-seed',
      what: 'it is for random points',
      fix: 'Ask for --point random, or leave it out',
    });
  for (const seed of seeds ?? [])
    if (!Number.isSafeInteger(seed) || seed < 0)
      throw new UsageError({ code: 'E_OPTION_VALUE', where: '--point-seed', what: `expected an integer from 0 on, got ${seed}` });
  const random = [...new Set(seeds ?? [0])].map((seed): PointWay => ({ way: 'random', seed }));
  return [...new Set(point)].flatMap((way): PointWay[] => (way === 'fixed' ? [{ way }] : random));
}
