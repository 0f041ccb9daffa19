import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { ConfigDocument, locateShipped, packageFile, validate } from '../../config/index.js';
import { UsageError } from '../../util/index.js';

/** Alternative wordings by a structure's phrase. `*` applies to every structure. */
export type Wordings = ReadonlyMap<string, readonly string[]>;

const words = z.string().trim().min(1);
const plainSchema = z.record(z.string(), z.array(words).min(1));
/** Word lists of published datasets: class names, synonyms and the sentences of the paper's prompt study. */
const classesSchema = z.looseObject({
  classes: z.record(
    z.string(),
    z.looseObject({
      strict: words,
      paper: words,
      synonyms: z.array(words).default([]),
      study: z.array(words).default([]),
    }),
  ),
});

/** Key for every structure. */
const ANY = '*';

/**
 * Parses wordings from the command line: a YAML file (`phrase: [wording, …]`, or a word list as under `configs/prompts`), the
 * word `default` for all of `configs/prompts`, or comma-separated wordings for every structure.
 *
 * @throws UsageError, ConfigError
 */
export async function readWordings(source: string, defaults = packageFile(join('configs', 'prompts'))): Promise<Wordings> {
  if (source === 'default') return readFolder(defaults);
  const file = await locateShipped(source);
  if (await isFile(file)) return readFile(file, 'utf8').then((text) => parseWordings(text, file));
  if (/\.(ya?ml|json)$/i.test(source))
    throw new UsageError({
      code: 'E_FILE_NOT_FOUND',
      where: '--prompts',
      what: `there is no file ${source}`,
      fix: 'Name a YAML file, or wordings separated by commas',
    });
  const list = source
    .split(',')
    .map((one) => one.trim().replace(/\.$/, ''))
    .filter((one) => one !== '');
  if (list.length === 0)
    throw new UsageError({
      code: 'E_PROMPT_TEXT',
      where: '--prompts',
      what: 'it names no wording',
      fix: 'Separate wordings by commas',
    });
  return new Map([[ANY, list]]);
}

/** The wordings of a structure, its own name first. */
export function wordingsOf(wordings: Wordings, structure: string): string[] {
  return [...new Set([structure, ...(wordings.get(structure) ?? wordings.get(ANY) ?? [])])];
}

function parseWordings(text: string, file: string): Wordings {
  const document = ConfigDocument.parse(text, file);
  // JSON, CSV and other text also parse as YAML; a single key distinguishes the two layouts.
  if (!/^\s*["']?classes["']?\s*:/m.test(text)) return new Map(Object.entries(validate(plainSchema, document)));
  const wordings = new Map<string, string[]>();
  for (const { strict, paper, synonyms, study } of Object.values(validate(classesSchema, document).classes))
    for (const phrase of new Set([strict, paper]))
      wordings.set(phrase, [...new Set([...(wordings.get(phrase) ?? []), strict, ...synonyms, ...study])]);
  return wordings;
}

async function readFolder(dir: string): Promise<Wordings> {
  const names = (await readdir(dir).catch(() => [])).filter((name) => /\.ya?ml$/.test(name)).sort();
  if (names.length === 0)
    throw new UsageError({
      code: 'E_FILE_NOT_FOUND',
      where: '--prompts default',
      what: `${dir} holds no word list`,
      fix: 'Name a YAML file, or wordings separated by commas',
    });
  const all = new Map<string, string[]>();
  for (const name of names) {
    const part = parseWordings(await readFile(join(dir, name), 'utf8'), join(dir, basename(name)));
    for (const [phrase, list] of part) all.set(phrase, [...new Set([...(all.get(phrase) ?? []), ...list])]);
  }
  return all;
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}
