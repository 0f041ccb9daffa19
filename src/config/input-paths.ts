import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { exists, isShipped, locateShipped } from './package-files.js';
import type { ConfigDocument } from './parse-yaml.js';
import { schemaBelow, unwrapSchema } from './schema-walk.js';

/** Which texts of a schema name something that is read: a file or folder, or a model, whose name may also be no path. */
const inputs = z.registry<{ readonly kind: 'path' | 'model' }>();

/** A text that names a file or folder to read. {@link loadConfig} finds it beside the configuration. */
export function inputPath(): z.ZodString {
  return z.string().min(1).register(inputs, { kind: 'path' });
}

/** The same of a model: a folder or file, `weights/NAME` of this package, or the name of a downloaded one. */
export function inputModel(): z.ZodString {
  return z.string().min(1).register(inputs, { kind: 'model' });
}

/**
 * The values of a document, with every relative path that it reads put where the file or folder was found:
 *
 * 1. A path that is written in the file is looked for beside it: in the folder of the file, or, if that folder is called
 *    `configs`, in the folder above, which is that of the project.
 * 2. It is then looked for in the working directory, as a path from `--set` is from the start.
 * 3. A path under `configs/`, `examples/` or `weights/` is then looked for in this package.
 *
 * What is nowhere stays as it was written. So does the name of a model that comes with the package: it is found from everywhere,
 * and a run that names it can be moved.
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

/** The folder that the paths of a configuration are relative to. */
function homeOf(file: string): string {
  const folder = dirname(file);
  return basename(resolve(folder)) === 'configs' ? join(folder, '..') : folder;
}

type Place = (text: string, kind: 'path' | 'model', path: readonly string[]) => Promise<string>;

/** Follows the schema, so that it ends where the schema does. */
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
