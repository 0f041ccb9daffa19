import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { ConfigDocument, validate } from '../../config/index.js';
import { canonicalPhrase } from '../../prompts/index.js';
import type { Protocol } from './types.js';

const words = z.string().trim().min(1);

const promptsSchema = z.strictObject({
  /** The phrases of the objects. */
  classes: z.record(
    z.string(),
    z.strictObject({
      /** The correct phrase, used by default. */
      strict: words,
      /** The published phrase, under `protocol: paper`. */
      paper: words,
      /** Synonyms. */
      synonyms: z.array(words).default([]),
      /** Sentences of the paper's prompt study. */
      study: z.array(words).default([]),
    }),
  ),
  /** Sentence templates; `{}` stands for the phrase. */
  templates: z.array(words).default([]),
  /** Control prompts that name absent structures. */
  controls: z.array(words).default([]),
});

/** The prompt words of a dataset. */
export type Prompts = z.infer<typeof promptsSchema>;

const FOLDER = new URL('../../../configs/prompts/', import.meta.url);

/**
 * Loads the prompt words of a dataset from `configs/prompts/NAME.yaml`; undefined if a dataset defines its own.
 *
 * @throws ConfigError with the line of the error in the file.
 */
export async function loadPrompts(dataset: string): Promise<Prompts | undefined> {
  const file = fileURLToPath(new URL(`${dataset}.yaml`, FOLDER));
  if (!existsSync(file)) return undefined;
  return validate(promptsSchema, ConfigDocument.parse(await readFile(file, 'utf8'), file));
}

/** The phrase of a class. A class without an entry is its own phrase. */
export function phraseOf(name: string, prompts: Prompts | undefined, protocol: Protocol): string {
  return canonicalPhrase(prompts?.classes[name]?.[protocol] ?? name);
}
