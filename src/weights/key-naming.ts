import { CheckpointError } from '../util/index.js';
import type { NamedArray } from './formats/index.js';
import { joinRows, rowsOf, sameValues } from './rows.js';

/** One foreign key that contains several of this project's, as equal parts along the first axis. */
interface FusedKeys {
  readonly theirs: string;
  readonly ours: readonly string[];
}

/** Several foreign keys that form one of this project's, concatenated along the first axis. No wildcards. */
interface StackedKeys {
  readonly theirs: readonly string[];
  readonly ours: string;
}

/** One foreign key that occurs in several places here. No wildcards. */
interface CopiedKeys {
  readonly theirs: string;
  readonly ours: readonly string[];
}

/** Tensors that lack leading axes of length 1 in the other naming. */
interface UnsqueezedKeys {
  /** Pattern of this project's keys. */
  readonly ours: string;
  /** Number of axes that they lack. */
  readonly axes: number;
}

/**
 * Conversion between the keys of a checkpoint in another naming and this project's. In patterns `*` matches one path component
 * and `**` the rest of the path; wildcards correspond one to one, in order, on both sides.
 */
export interface KeyNaming {
  /** Name for messages. */
  readonly name: string;
  /** A key that identifies such a checkpoint. */
  readonly sign: string;
  readonly renames: readonly (readonly [theirs: string, ours: string])[];
  readonly fused: readonly FusedKeys[];
  readonly stacked?: readonly StackedKeys[];
  readonly copied?: readonly CopiedKeys[];
  readonly unsqueezed?: readonly UnsqueezedKeys[];
}

/** This project's key or keys for a foreign one; the key itself if no rule matches. */
export function ourKeys(theirs: string, { renames, fused }: KeyNaming): readonly string[] {
  for (const rule of fused) {
    const steps = capture(theirs, rule.theirs);
    if (steps !== undefined) return rule.ours.map((pattern) => fill(pattern, steps));
  }
  for (const [from, to] of renames) {
    const steps = capture(theirs, from);
    if (steps !== undefined) return [fill(to, steps)];
  }
  return [theirs];
}

/**
 * Converts weights to another naming: the inverse of `underOurKeys`.
 *
 * @throws CheckpointError when parts of a fused tensor are missing, or copies of one foreign tensor differ.
 */
export function underTheirKeys(arrays: ReadonlyMap<string, NamedArray>, naming: KeyNaming): Map<string, NamedArray> {
  const renamed = new Map<string, NamedArray>();
  for (const [ours, array] of arrays) {
    const fusion = fusionOf(ours, naming);
    const stack = naming.stacked?.find((rule) => rule.ours === ours);
    const copies = naming.copied?.find((rule) => rule.ours.includes(ours));
    if (fusion !== undefined) {
      if (fusion.ours[0] === ours) renamed.set(fusion.theirs, joined(fusion.ours, arrays, naming));
    } else if (stack !== undefined) {
      for (const [i, theirs] of stack.theirs.entries()) renamed.set(theirs, rowsOf(array, i, stack.theirs.length));
    } else if (copies !== undefined) {
      const first = arrays.get(copies.ours[0] as string);
      if (first !== undefined && !sameValues(first, array))
        throw new CheckpointError({
          code: 'E_WEIGHTS_MISMATCH',
          where: ours,
          what: `it differs from ${copies.ours[0]}, and ${naming.name} has one for both`,
        });
      renamed.set(copies.theirs, array);
    } else renamed.set(theirKey(ours, naming), { ...array, shape: array.shape.slice(lackingAxes(ours, naming)) });
  }
  return renamed;
}

/** The number of leading axes of length 1 that the foreign tensor of a key lacks. */
export function lackingAxes(ours: string, { unsqueezed }: KeyNaming): number {
  return unsqueezed?.find((rule) => capture(ours, rule.ours) !== undefined)?.axes ?? 0;
}

/** The foreign key for an unfused one of this project's; the key itself if no rule matches. */
export function theirKey(ours: string, { renames }: KeyNaming): string {
  for (const [to, from] of renames) {
    const steps = capture(ours, from);
    if (steps !== undefined) return fill(to, steps);
  }
  return ours;
}

/** The fused tensor that contains a key, with the keys of all its parts. */
function fusionOf(key: string, { fused }: KeyNaming): FusedKeys | undefined {
  for (const { theirs, ours } of fused) {
    const steps = ours.map((pattern) => capture(key, pattern)).find((found) => found !== undefined);
    if (steps !== undefined) return { theirs: fill(theirs, steps), ours: ours.map((pattern) => fill(pattern, steps)) };
  }
  return undefined;
}

function joined(keys: readonly string[], arrays: ReadonlyMap<string, NamedArray>, { name }: KeyNaming): NamedArray {
  const parts = keys.map((key) => {
    const part = arrays.get(key);
    if (part === undefined)
      throw new CheckpointError({
        code: 'E_WEIGHTS_MISMATCH',
        where: key,
        what: `it is missing, and ${name} keeps it in one with others`,
      });
    return part;
  });
  return joinRows(parts);
}

const patterns = new Map<string, RegExp>();

/** The components matched by a pattern's wildcards, or undefined without a match. */
function capture(key: string, pattern: string): string[] | undefined {
  let compiled = patterns.get(pattern);
  if (compiled === undefined) {
    const steps = pattern.split('.').map((step) => (step === '**' ? '(.+)' : step === '*' ? '([^.]+)' : escaped(step)));
    compiled = new RegExp(`^${steps.join('\\.')}$`);
    patterns.set(pattern, compiled);
  }
  return compiled.exec(key)?.slice(1);
}

function escaped(step: string): string {
  return step.replace(/[$()*+?[\\\]^{|}]/g, '\\$&');
}

function fill(pattern: string, steps: readonly string[]): string {
  let next = 0;
  return pattern
    .split('.')
    .map((step) => (step === '*' || step === '**' ? steps[next++] : step))
    .join('.');
}
