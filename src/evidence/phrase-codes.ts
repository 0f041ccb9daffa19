import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ConfigDocument, packageFile, validate } from '../config/index.js';
import type { Code } from '../dicom/index.js';
import { canonicalPhrase } from '../prompts/index.js';
import { ConfigError, nearest, unreadableCode } from '../util/index.js';

/** What a phrase means in codes. */
export interface PhraseMeaning {
  /** As in Segmented Property Category: morphologically abnormal structure, anatomical structure, … */
  readonly category: Code;
  /** The finding, as in Segmented Property Type; a private code with the phrase as its meaning where the table has none. */
  readonly type: Code;
  /** Of the type: benign, malignant, … */
  readonly modifiers: readonly Code[];
  /** Where it is. */
  readonly region?: Code | undefined;
  /** Whether the table has the phrase. */
  readonly known: boolean;
}

/** Codes of phrases: the shipped table, and those of the user before it. */
export interface PhraseCodes {
  /** The codes of a phrase; a private one, and `known: false`, for a phrase that no table has. */
  meaningOf(phrase: string): PhraseMeaning;
  /** A hash of the tables. */
  readonly digest: string;
}

/** Designates private codes (PS3.16, 8.2: a local scheme begins with 99). */
export const PRIVATE_SCHEME = '99SONOGROUND';

const SHIPPED = join('configs', 'codes', 'ultrasound.yaml');

const DEFAULT_CATEGORY = 'Morphologically Abnormal Structure';

/** What is not in the table belongs to no category that the standard knows. */
const UNCLASSIFIED: Code = { value: 'UNCLASSIFIED', scheme: PRIVATE_SCHEME, meaning: 'Unclassified' };

/** Longest meaning and value of a code (VR LO and SH). */
const [MEANING, VALUE] = [64, 16];

const name = z.string().min(1).max(MEANING);

const tableSchema = z.strictObject({
  codes: z
    .record(name, z.string().regex(/^[\w.-]{1,16} \S{1,16}$/, 'expected a scheme and a value, as in SCT 76752008'))
    .default({}),
  phrases: z.record(
    z.string(),
    z.strictObject({
      type: name.optional(),
      region: name.optional(),
      category: name.default(DEFAULT_CATEGORY),
      modifiers: z.array(name).default([]),
      also: z.array(z.string()).default([]),
    }),
  ),
});

type Table = z.infer<typeof tableSchema>;

/**
 * Reads the shipped table of codes, `configs/codes/ultrasound.yaml`, and tables of the same form that take precedence over it.
 *
 * @param files - the first has precedence over the second.
 * @throws ConfigError naming file and line for a table of another form, or a name that stands for no code; SonogroundError when a
 *   file cannot be read.
 */
export async function readPhraseCodes(...files: readonly string[]): Promise<PhraseCodes> {
  const codes = new Map<string, Code>();
  const meanings = new Map<string, PhraseMeaning>();
  const digest = createHash('sha256');
  // Last first: what is read later takes precedence.
  for (const file of [packageFile(SHIPPED), ...[...files].reverse()]) {
    const text = await readTable(file);
    digest.update(`${text.length} ${text}`);
    const document = ConfigDocument.parse(text, file);
    addTable(validate(tableSchema, document), document, codes, meanings);
  }
  return {
    digest: digest.digest('hex'),
    meaningOf: (phrase) =>
      meanings.get(canonicalPhrase(phrase)) ?? { category: UNCLASSIFIED, type: privateCode(phrase), modifiers: [], known: false },
  };
}

function addTable(
  { codes, phrases }: Table,
  document: ConfigDocument,
  known: Map<string, Code>,
  meanings: Map<string, PhraseMeaning>,
): void {
  for (const [meaning, text] of Object.entries(codes)) {
    const [scheme = '', value = ''] = text.split(' ');
    known.set(meaning, { value, scheme, meaning });
  }
  for (const [phrase, { type, region, category, modifiers, also }] of Object.entries(phrases)) {
    const named = (code: string, key: string) => {
      const found = known.get(code);
      if (found !== undefined) return found;
      const near = nearest(code, [...known.keys()]);
      throw new ConfigError({
        code: 'E_CONFIG_VALUE',
        where: document.placeOf(['phrases', phrase, key]),
        what: `"${code}" is no name of a code`,
        fix: `Add it under codes${near === undefined ? '' : `, or write "${near}"`}`,
      });
    };
    const meaning: PhraseMeaning = {
      category: named(category, 'category'),
      type: type === undefined ? privateCode(phrase) : named(type, 'type'),
      modifiers: modifiers.map((modifier) => named(modifier, 'modifiers')),
      ...(region === undefined ? {} : { region: named(region, 'region') }),
      known: true,
    };
    for (const wording of [phrase, ...also]) meanings.set(canonicalPhrase(wording), meaning);
  }
}

/** The same value for the same phrase, whoever made it. */
function privateCode(phrase: string): Code {
  const canonical = canonicalPhrase(phrase);
  const value = createHash('sha256').update(canonical).digest('hex').slice(0, VALUE).toUpperCase();
  return { value, scheme: PRIVATE_SCHEME, meaning: [...canonical].slice(0, MEANING).join('') };
}

async function readTable(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ConfigError({
      code: unreadableCode(cause),
      where: file,
      what: code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`,
      fix: 'Name a table of codes in YAML',
      cause,
    });
  }
}
