import { z } from 'zod';
import { ConfigError } from '../util/index.js';
import type { ConfigDocument } from './parse-yaml.js';
import { schemaBelow, schemaKeys } from './schema-walk.js';

interface Former {
  /** What the setting was called. */
  readonly key?: string;
  /** Values that were called otherwise: former to present. */
  readonly values?: Readonly<Record<string, string>>;
}

const registry = z.registry<Former>();

/** A setting with an earlier name, or earlier names of its values: {@link loadConfig} reads files that still use them. */
export function formerly<S extends z.ZodType>(former: Former, schema: S): S {
  registry.add(schema, former);
  return schema;
}

/**
 * Replaces earlier names of settings and values in a document by the present ones.
 *
 * @returns a sentence for each.
 * @throws ConfigError for a setting that stands there under both names.
 */
export function replaceFormerNames(schema: z.ZodType, document: ConfigDocument): string[] {
  return replaceBelow(schema, [], document);
}

function replaceBelow(schema: unknown, path: readonly string[], document: ConfigDocument): string[] {
  return schemaKeys(schema).flatMap((key) => {
    const own = schemaBelow(schema, key);
    const here = [...path, key];
    const { key: formerKey, values = {} } = formerOf(own);
    const sentences: string[] = [];
    if (formerKey !== undefined && document.has([...path, formerKey])) {
      const before = [...path, formerKey];
      if (document.has(here))
        throw new ConfigError({
          code: 'E_CONFIG_CONFLICT',
          where: document.placeOf(before),
          what: `${before.join('.')} is the earlier name of ${here.join('.')}, which is given too`,
          fix: `Remove ${before.join('.')}`,
        });
      document.renameKey(before, key);
      sentences.push(`${before.join('.')} is now called ${here.join('.')}`);
    }
    const value = document.textAt(here);
    if (value !== undefined && Object.hasOwn(values, value)) {
      document.setText(here, values[value] as string);
      sentences.push(`${here.join('.')}: ${value} is now called ${values[value]}`);
    }
    return document.has(here) ? [...sentences, ...replaceBelow(own, here, document)] : sentences;
  });
}

/** A path with the present name of each setting in it. */
export function presentPath(schema: unknown, path: readonly string[]): readonly string[] {
  const [step, ...rest] = path;
  if (step === undefined) return path;
  const keys = schemaKeys(schema);
  const present = keys.includes(step) ? step : (keys.find((key) => formerOf(schemaBelow(schema, key)).key === step) ?? step);
  return [present, ...presentPath(schemaBelow(schema, present), rest)];
}

function formerOf(schema: unknown): Former {
  return (schema === undefined ? undefined : registry.get(schema as z.ZodType)) ?? {};
}
