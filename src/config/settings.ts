/**
 * The value that stands at a path once defaults are filled in; undefined where there is none.
 *
 * @param data - what is written down.
 */
export function settingAt(schema: unknown, data: unknown, path: readonly string[]): unknown {
  let here = schema;
  let value = data;
  for (const step of path) {
    value = ownProperty(withDefault(here, value), step);
    here = below(unwrap(here), step);
  }
  return withDefault(here, value);
}

/** The keys that an object schema knows at a path. */
export function keysAt(schema: unknown, path: readonly string[]): string[] {
  const at = path.reduce<unknown>((here, step) => below(unwrap(here), step), schema);
  return Object.keys((unwrap(at) as { shape?: Record<string, unknown> } | undefined)?.shape ?? {});
}

/** A field of a table or an element of a list; nothing that was inherited. */
export function ownProperty(value: unknown, step: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, step)
    ? (value as Record<string, unknown>)[step]
    : undefined;
}

function below(schema: unknown, step: string): unknown {
  const { shape, element, valueType } = (schema ?? {}) as {
    shape?: Record<string, unknown>;
    element?: unknown;
    valueType?: unknown;
  };
  return ownProperty(shape, step) ?? element ?? valueType;
}

/** What lies inside optional, default and prefault wrappers. */
function unwrap(schema: unknown): unknown {
  const inner = innerOf(schema);
  return inner === undefined ? schema : unwrap(inner);
}

function withDefault(schema: unknown, value: unknown): unknown {
  if (value !== undefined) return value;
  const own = (schema as { def?: { defaultValue?: unknown } } | undefined)?.def?.defaultValue;
  const inner = innerOf(schema);
  return own ?? (inner === undefined ? undefined : withDefault(inner, undefined));
}

function innerOf(schema: unknown): unknown {
  return (schema as { def?: { innerType?: unknown } } | undefined)?.def?.innerType;
}
