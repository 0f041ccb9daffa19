import { readFile } from 'node:fs/promises';
import { type Document, isMap, isNode, isPair, isScalar, LineCounter, parse, parseDocument } from 'yaml';
import type { z } from 'zod';
import { ConfigError, nearest } from '../util/index.js';

/**
 * Reads a YAML file, applies `key.path=value` overrides and checks the result. All problems are reported together, each with
 * its line.
 *
 * @param overrides - values are read as YAML: `train.epochs=5`, `lora.targets=[a, b]`.
 * @throws ConfigError
 */
export async function loadConfig<S extends z.ZodType>(
  file: string,
  schema: S,
  overrides: readonly string[] = [],
): Promise<z.infer<S>> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new ConfigError({
      where: file,
      what: cause.code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${cause.code})`,
      fix: 'Name one of configs/*.yaml, or a file of your own',
      cause,
    });
  });
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [broken] = document.errors;
  if (broken !== undefined)
    throw new ConfigError({
      where: `${file}:${place(lines, broken.pos[0])}`,
      what: broken.message.split('\n')[0] ?? 'not valid YAML',
      fix: 'Mend the YAML',
    });
  for (const override of overrides) applyOverride(document, override);
  const result = schema.safeParse(document.toJS() ?? {});
  if (result.success) return result.data;
  const problems = result.error.issues
    .flatMap((issue) => describe(issue, schema))
    .map(({ path, what }) => `${locate(document, lines, file, path)} ${path.join('.') || 'file'}: ${what}`);
  throw new ConfigError({
    where: file,
    what: problems.length === 1 ? (problems[0] as string) : `${problems.length} problems:\n  ${problems.join('\n  ')}`,
  });
}

function applyOverride(document: Document, override: string): void {
  const [, key, value] = /^([\w.-]+)=(.*)$/s.exec(override) ?? [];
  if (key === undefined || value === undefined)
    throw new ConfigError({
      where: `--set ${override}`,
      what: 'expected key.path=value',
      fix: 'For example --set train.epochs=5',
    });
  const path = key.split('.');
  for (let depth = 1; depth < path.length; depth++) {
    const above = path.slice(0, depth);
    if (!isMap(document.getIn(above, true))) document.setIn(above, document.createNode({}));
  }
  try {
    document.setIn(path, parse(value));
  } catch (cause) {
    throw new ConfigError({
      where: `--set ${override}`,
      what: 'the value is not valid YAML',
      fix: 'Put quotes around it',
      cause,
    });
  }
}

interface Problem {
  readonly path: readonly string[];
  readonly what: string;
}

/** What a person should read of a schema's complaint. */
function describe(issue: z.core.$ZodIssue, schema: z.ZodType): Problem[] {
  const path = issue.path.map(String);
  if (issue.code !== 'unrecognized_keys') return [{ path, what: issue.message.replace(/^Invalid input: /, '') }];
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
  let here: unknown = schema;
  for (const step of [...path, undefined]) {
    here = unwrap(here);
    const shape = (here as { shape?: Record<string, unknown> }).shape ?? {};
    if (step === undefined) return Object.keys(shape);
    here = shape[step];
  }
  return [];
}

/** What lies inside optional, default and prefault wrappers. */
function unwrap(schema: unknown): unknown {
  const inner = (schema as { def?: { innerType?: unknown } } | undefined)?.def?.innerType;
  return inner === undefined ? schema : unwrap(inner);
}

/** `file:line:column` of a key, or of the nearest thing above it that is written down. */
function locate(document: Document, lines: LineCounter, file: string, path: readonly string[]): string {
  for (let depth = path.length; depth > 0; depth--) {
    const parent = depth === 1 ? document.contents : document.getIn(path.slice(0, depth - 1), true);
    const pair = isMap(parent)
      ? parent.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === path[depth - 1])
      : undefined;
    if (isNode(pair?.key) && pair.key.range) return `${file}:${place(lines, pair.key.range[0])}`;
  }
  return path.length > 0 ? '--set' : file;
}

function place(lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `${line}:${col}`;
}
