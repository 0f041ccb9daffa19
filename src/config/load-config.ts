import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { ConfigError } from '../util/index.js';
import { ConfigDocument } from './parse-yaml.js';
import { resolveExpressions } from './resolve-expressions.js';
import { validate } from './validate.js';

/**
 * Reads a YAML file, applies `key.path=value` overrides and checks the result. All problems are reported together, each with
 * its line. Where a number is wanted, an expression of other settings may stand: `5e-4 * train.batchSize / 4`.
 *
 * @param overrides - as `train.epochs=5` or `lora.targets=[a, b]`; a text needs no quotes.
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
  const document = ConfigDocument.parse(text, file);
  for (const override of overrides) document.override(override);
  return validate(schema, document, await resolveExpressions(schema, document.toJs()));
}
