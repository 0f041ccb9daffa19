import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { exists, isShipped, locateShipped } from './package-files.js';
import type { ConfigDocument } from './parse-yaml.js';
import { schemaBelow, unwrapSchema } from './schema-walk.js';

/** Schema strings that name an input: a file or folder, or a model, whose name need not be a path. */
const inputs = z.registry<{ readonly kind: 'path' | 'model' }>();

/** A string that names a file or folder to read. {@link loadConfig} resolves it relative to the configuration. */
export function inputPath(): z.ZodString {
  return z.string().min(1).register(inputs, { kind: 'path' });
}

/** A string that names a model: a folder or file, `weights/NAME` of this package, or the name of a downloaded one. */
export function inputModel(): z.ZodString {
  return z.string().min(1).register(inputs, { kind: 'model' });
}

/**
 * Resolves the relative input paths of a document:
 *
 * 1. A path written in the file is searched relative to the file's folder or, if that folder is called `configs`, relative to its
 * parent, the project's folder.
 * 2. It is then searched in the working directory; a path from `--set` starts with this step.
 * 3. A path under `configs/`, `examples/` or `weights/` is then searched in this package.
 *
 * A path that is not found is left unchanged. So is the name of a shipped model, which is found from any folder, so that a run
 * that names it can be moved.
 */
export function placeInputs(schema: z.ZodType, document: ConfigDocument): Promise<unknown> {
  const home = homeOf(document.file);
  return walk(schema, document.toJs(), [], async (text, kind, path) => {
    if (isAbsolute(text) || (kind === 'model' && (await isShipped(text)))) return text;
    const beside = join(home, text);
    const here = document.isOverridden(path) || resolve(beside) === resolve(text);
    return !here && (await exists(beside)) ? beside : locateShipped(text);
  });
}

/** The base folder of a configuration's paths. */
function homeOf(file: string): string {
  const folder = dirname(file);
  return basename(resolve(folder)) === 'configs' ? join(folder, '..') : folder;
}

type Place = (text: string, kind: 'path' | 'model', path: readonly string[]) => Promise<string>;

/** Walks the values along the schema, whose depth bounds the recursion. */
async function walk(schema: unknown, value: unknown, path: readonly string[], place: Place): Promise<unknown> {
  const inner = unwrapSchema(schema);
  if (inner === undefined || value === null) return value;
  if (typeof value === 'string') {
    const input = inputs.get(inner as z.ZodType);
    return input === undefined ? value : place(value, input.kind, path);
  }
  const next = (step: string, part: unknown) => walk(schemaBelow(inner, step), part, [...path, step], place);
  if (Array.isArray(value)) return Promise.all(value.map((part, i) => next(String(i), part)));
  if (typeof value !== 'object') return value;
  const entries = Object.entries(value).map(async ([key, part]) => [key, await next(key, part)] as const);
  return Object.fromEntries(await Promise.all(entries));
}
