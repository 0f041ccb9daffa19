import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { ConfigDocument, validate } from '../../config/index.js';
import { canonicalPhrase } from '../../prompts/index.js';
import type { Protocol } from './types.js';

const words = z.string().trim().min(1);

const promptsSchema = z.strictObject({
  /** What the objects are called. */
  classes: z.record(
    z.string(),
    z.strictObject({
      /** The right words, used by default. */
      strict: words,
      /** The published words, under `protocol: paper`. */
      paper: words,
      /** Other words for the same thing. */
      synonyms: z.array(words).default([]),
      /** Sentences of the paper's prompt study. */
      study: z.array(words).default([]),
    }),
  ),
  /** Sentences around a phrase, which `{}` stands for. */
  templates: z.array(words).default([]),
  /** Prompts that name what is not there, as controls. */
  controls: z.array(words).default([]),
});

/** The words of a dataset. */
export type Prompts = z.infer<typeof promptsSchema>;

const FOLDER = new URL('../../../configs/prompts/', import.meta.url);

/**
 * The words of a dataset, from `configs/prompts/NAME.yaml`; none where a dataset brings its own.
 *
 * @throws ConfigError with the line of what is wrong in the file.
 */
export async function loadPrompts(dataset: string): Promise<Prompts | undefined> {
  const file = fileURLToPath(new URL(`${dataset}.yaml`, FOLDER));
  if (!existsSync(file)) return undefined;
  return validate(promptsSchema, ConfigDocument.parse(await readFile(file, 'utf8'), file));
}

/** What a class is called. A class without an entry is its own phrase. */
export function phraseOf(name: string, prompts: Prompts | undefined, protocol: Protocol): string {
  return canonicalPhrase(prompts?.classes[name]?.[protocol] ?? name);
}
