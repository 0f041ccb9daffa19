import { readdir, readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { ConfigError, type Logger, silentLogger, unreadableCode } from '../util/index.js';
import { presentPath, replaceFormerNames } from './former-names.js';
import { placeInputs } from './input-paths.js';
import { locateShipped, packageFile } from './package-files.js';
import { ConfigDocument } from './parse-yaml.js';
import { resolveExpressions } from './resolve-expressions.js';
import { validate } from './validate.js';

/** Folder of shipped configurations. */
const SHIPPED = 'configs';

/**
 * Loads a YAML file, applies `key.path=value` overrides and validates the result. All problems are reported together, each with
 * its line. A number may be given as an expression of other settings: `5e-4 * train.batchSize / 4`. Input paths are searched
 * relative to the file, in the working directory, then in this package. Earlier names of settings are accepted, with a notice.
 *
 * @param name - a file; `configs/NAME.yaml` is also found in this package.
 * @param overrides - as `train.epochs=5` or `lora.targetModules=[a, b]`; strings need no quotes.
 * @throws ConfigError
 */
export async function loadConfig<S extends z.ZodType>(
  name: string,
  schema: S,
  overrides: readonly string[] = [],
  logger: Logger = silentLogger,
): Promise<z.infer<S>> {
  const file = await locateShipped(name);
  const text = await readFile(file, 'utf8').catch(async (cause: NodeJS.ErrnoException) => {
    throw new ConfigError({
      code: unreadableCode(cause),
      where: file,
      what: cause.code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${cause.code})`,
      fix: `Name a file of your own, or one that comes with sonoground: ${(await shippedNames()).join(', ')}`,
      cause,
    });
  });
  const document = ConfigDocument.parse(text, file);
  // The file's before the overrides': one of those may use the other name of what the file sets.
  const renamed = replaceFormerNames(schema, document);
  for (const override of overrides) {
    document.override(override, (path) => {
      const present = presentPath(schema, path);
      if (present.join('.') !== path.join('.')) renamed.push(`${path.join('.')} is now called ${present.join('.')}`);
      return present;
    });
  }
  renamed.push(...replaceFormerNames(schema, document));
  if (renamed.length > 0) logger.info(`${file}: ${renamed.join('; ')}`);
  return validate(schema, document, await resolveExpressions(schema, await placeInputs(schema, document)));
}

async function shippedNames(): Promise<string[]> {
  const names = await readdir(packageFile(SHIPPED)).catch(() => []);
  return names.filter((name) => name.endsWith('.yaml')).map((name) => `${SHIPPED}/${name}`);
}
