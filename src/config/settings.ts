import { schemaBelow, schemaKeys } from './schema-walk.js';

/**
 * The value at a path after filling in defaults; undefined if there is none.
 *
 * @param data - the values as written.
 */
export function settingAt(schema: unknown, data: unknown, path: readonly string[]): unknown {
  let here = schema;
  let value = data;
  for (const step of path) {
    value = ownProperty(withDefault(here, value), step);
    here = schemaBelow(here, step);
  }
  return withDefault(here, value);
}

/** The keys of the object schema at a path. */
export function keysAt(schema: unknown, path: readonly string[]): string[] {
  return schemaKeys(path.reduce<unknown>(schemaBelow, schema));
}

/** An own property of an object or an element of a list; never an inherited one. */
export function ownProperty(value: unknown, step: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, step)
    ? (value as Record<string, unknown>)[step]
    : undefined;
}

function withDefault(schema: unknown, value: unknown): unknown {
  if (value !== undefined) return value;
  const { defaultValue, innerType } =
    (schema as { def?: { defaultValue?: unknown; innerType?: unknown } } | undefined)?.def ?? {};
  return defaultValue ?? (innerType === undefined ? undefined : withDefault(innerType, undefined));
}
