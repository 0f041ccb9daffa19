import type { z } from 'zod';
import { ConfigError, nearest } from '../util/index.js';
import type { ConfigDocument } from './parse-yaml.js';

/**
 * Checks a document against a schema and fills in defaults.
 *
 * @throws ConfigError with all problems, each with its place; an unknown key with the nearest known one.
 */
export function validate<S extends z.ZodType>(schema: S, document: ConfigDocument): z.infer<S> {
  const result = schema.safeParse(document.toJs());
  if (result.success) return result.data;
  const problems = result.error.issues
    .flatMap((issue) => describe(issue, schema))
    .map(({ path, what }) => ({ where: document.placeOf(path), what: `${path.join('.') || 'the file'}: ${what}` }));
  const [only] = problems;
  if (problems.length === 1 && only !== undefined) throw new ConfigError(only);
  const lines = problems.map(({ where, what }) => `${where} ${what}`);
  throw new ConfigError({ where: document.file, what: `${problems.length} problems:\n  ${lines.join('\n  ')}` });
}

interface Problem {
  readonly path: readonly string[];
  readonly what: string;
}

/** What a person should read of a schema's complaint. */
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

/** The keys that an object schema knows at a path. */
function keysAt(schema: z.ZodType, path: readonly string[]): string[] {
  const at = path.reduce<unknown>((here, step) => below(unwrap(here), step), schema);
  return Object.keys((unwrap(at) as { shape?: Record<string, unknown> } | undefined)?.shape ?? {});
}

function below(schema: unknown, step: string): unknown {
  const { shape, element, valueType } = (schema ?? {}) as {
    shape?: Record<string, unknown>;
    element?: unknown;
    valueType?: unknown;
  };
  return shape?.[step] ?? element ?? valueType;
}

/** What lies inside optional, default and prefault wrappers. */
function unwrap(schema: unknown): unknown {
  const inner = (schema as { def?: { innerType?: unknown } } | undefined)?.def?.innerType;
  return inner === undefined ? schema : unwrap(inner);
}
