import type { z } from 'zod';
import { nearest, shown } from '../util/index.js';
import { evaluateExpression, Refusal } from './expression.js';
import { keysAt, ownProperty, settingAt } from './settings.js';

/** Plain values of a document with expressions replaced by numbers. */
export interface Resolved {
  readonly data: unknown;
  /** Results by dotted path of the expression: its value, or why it has none. */
  readonly outcomes: ReadonlyMap<string, Outcome>;
}

/** The result of one expression. */
export interface Outcome {
  readonly path: readonly string[];
  readonly text: string;
  readonly value: number | Refusal;
}

const CYCLE = 'it depends on itself';

/** A single word is not an expression: its schema error is clearer. */
const WORD = /^\s*[A-Za-z_]*\s*$/;

/**
 * Replaces expressions by their values. A string is an expression only if the schema accepts a number and no string there:
 * prompts, paths and dates elsewhere are unaffected.
 *
 * @param data - plain values, modified in place.
 */
export async function resolveExpressions(schema: z.ZodType, data: unknown): Promise<Resolved> {
  const result = schema.safeParse(data);
  const texts = new Map(
    (result.success ? [] : result.error.issues.flatMap((issue) => numbersWanted(issue, data)))
      .map((path) => ({ path, text: String(valueAt(data, path)) }))
      .filter(({ text }) => !WORD.test(text))
      .map((entry) => [entry.path.join('.'), entry] as const),
  );
  const outcomes = new Map<string, Outcome>();
  const beingComputed: string[] = [];

  const settingOf = async (name: string): Promise<number | Refusal> => {
    if (texts.has(name)) {
      const own = await outcomeOf(name);
      return own instanceof Refusal && !own.why.startsWith(CYCLE) ? new Refusal(`${name} has no value: ${own.why}`) : own;
    }
    const path = name.split('.');
    const value = settingAt(schema, data, path);
    if (typeof value === 'number') return value;
    if (value !== undefined && value !== null) return new Refusal(`${name} is not a number but ${shown(value)}`);
    return new Refusal(whyAbsent(schema, path));
  };

  const outcomeOf = async (key: string): Promise<number | Refusal> => {
    const done = outcomes.get(key);
    if (done !== undefined) return done.value;
    if (beingComputed.includes(key))
      return new Refusal(`${CYCLE}: ${[...beingComputed.slice(beingComputed.indexOf(key)), key].join(', ')}`);
    const { path, text } = texts.get(key) as { readonly path: readonly string[]; readonly text: string };
    beingComputed.push(key);
    const value = await evaluateExpression(text, settingOf);
    beingComputed.pop();
    outcomes.set(key, { path, text, value });
    return value;
  };

  for (const key of texts.keys()) await outcomeOf(key);
  for (const { path, value } of outcomes.values()) if (typeof value === 'number') put(data, path, value);
  return { data, outcomes };
}

/** Paths of strings where the schema accepts only a number. */
function numbersWanted(issue: z.core.$ZodIssue, data: unknown, above: readonly PropertyKey[] = []): string[][] {
  const path = [...above, ...issue.path];
  if (issue.code === 'invalid_union') {
    // A branch of a union counts if its expressions are its only errors.
    for (const branch of issue.errors) {
      const found = branch.map((inner) => numbersWanted(inner, data, path));
      if (found.length > 0 && found.every((paths) => paths.length > 0)) return found.flat();
    }
    return [];
  }
  if (issue.code !== 'invalid_type' || (issue.expected !== 'number' && issue.expected !== 'int')) return [];
  const steps = path.map(String);
  return typeof valueAt(data, steps) === 'string' ? [steps] : [];
}

function whyAbsent(schema: z.ZodType, path: readonly string[]): string {
  const name = path.join('.');
  for (const [depth, step] of path.entries()) {
    const known = keysAt(schema, path.slice(0, depth));
    if (known.includes(step)) continue;
    const near = nearest(step, known);
    return `there is no setting ${name}${near === undefined ? '' : `, did you mean ${[...path.slice(0, depth), near, ...path.slice(depth + 1)].join('.')}?`}`;
  }
  return `${name} is not set`;
}

function valueAt(data: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(ownProperty, data);
}

function put(data: unknown, path: readonly string[], value: number): void {
  const owner = valueAt(data, path.slice(0, -1)) as Record<string, unknown>;
  owner[path.at(-1) as string] = value;
}
