import type { z } from 'zod';
import { ConfigError, nearest, shown } from '../util/index.js';
import { Refusal } from './expression.js';
import type { ConfigDocument } from './parse-yaml.js';
import type { Outcome, Resolved } from './resolve-expressions.js';
import { keysAt } from './settings.js';

/**
 * Validates a document against a schema and fills in defaults.
 *
 * @param resolved - the document's values with numbers in place of expressions. Default: no expressions.
 * @throws ConfigError with all problems, each with its place; an unknown key with the nearest known one.
 */
export function validate<S extends z.ZodType>(schema: S, document: ConfigDocument, resolved?: Resolved): z.infer<S> {
  const result = schema.safeParse(resolved === undefined ? document.toJs() : resolved.data);
  if (result.success) return result.data;
  const outcomes = [...(resolved?.outcomes.values() ?? [])];
  const problems = [
    ...outcomes.flatMap(refused),
    ...result.error.issues
      .filter((issue) => !outcomes.some((outcome) => outcome.value instanceof Refusal && isOf(issue, outcome)))
      .flatMap((issue) => describe(issue, schema))
      .map((problem) => withValue(problem, outcomes)),
  ].map(({ path, what }) => ({ where: document.placeOf(path), what: `${path.join('.') || 'the file'}: ${what}` }));
  const [only] = problems;
  if (problems.length === 1 && only !== undefined) throw new ConfigError({ code: 'E_CONFIG_VALUE', ...only });
  const lines = problems.map(({ where, what }) => `${where} ${what}`);
  throw new ConfigError({
    code: 'E_CONFIG_VALUE',
    where: document.file,
    what: `${problems.length} problems:\n  ${lines.join('\n  ')}`,
  });
}

interface Problem {
  readonly path: readonly string[];
  readonly what: string;
}

function refused({ path, text, value }: Outcome): Problem[] {
  return value instanceof Refusal ? [{ path, what: `expected number, received ${shown(text)}: ${value.why}` }] : [];
}

/** Adds the origin of an expression's value to a problem with that value. */
function withValue({ path, what }: Problem, outcomes: readonly Outcome[]): Problem {
  const own = outcomes.find((outcome) => outcome.path.join('.') === path.join('.'));
  return { path, what: own === undefined ? what : `${what} (${own.text} is ${own.value})` };
}

/** Whether an issue merely states that the expression is not a number. A union is reported as a whole. */
function isOf({ code, path }: z.core.$ZodIssue, outcome: Outcome): boolean {
  const above = path.every((step, i) => String(step) === outcome.path[i]);
  return above && (code === 'invalid_union' || path.length === outcome.path.length);
}

/** Converts a schema issue to readable problems. */
function describe(issue: z.core.$ZodIssue, schema: z.ZodType): Problem[] {
  const path = issue.path.map(String);
  if (issue.code !== 'unrecognized_keys') return [{ path, what: issue.message.replace(/^Invalid (input|option): /, '') }];
  const known = keysAt(schema, path);
  return issue.keys.map((key) => {
    const near = nearest(key, known);
    return {
      path: [...path, key],
      what: near === undefined ? `unknown key; known here: ${known.join(', ')}` : `unknown key, did you mean ${near}?`,
    };
  });
}
