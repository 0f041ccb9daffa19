import type { z } from 'zod';
import { ConfigError, nearest } from '../util/index.js';
import type { ConfigDocument } from './parse-yaml.js';
import { schemaBelow, schemaKeys } from './schema-walk.js';

/**
 * Checks a document against a schema and fills in defaults.
 *
 * @param values - of the document, where they were changed since. Default: as they are written.
 * @throws ConfigError with all problems, each with its place; an unknown key with the nearest known one.
 */
export function validate<S extends z.ZodType>(
  schema: S,
  document: ConfigDocument,
  values: unknown = document.toJs(),
): z.infer<S> {
  const result = schema.safeParse(values);
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
  const known = schemaKeys(path.reduce<unknown>(schemaBelow, schema));
  return issue.keys.map((key) => {
    const near = nearest(key, known);
    return {
      path: [...path, key],
      what: near === undefined ? `unknown key; known here: ${known.join(', ')}` : `unknown key, did you mean ${near}?`,
    };
  });
}
