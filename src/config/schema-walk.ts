interface SchemaParts {
  readonly shape?: Readonly<Record<string, unknown>>;
  readonly element?: unknown;
  readonly valueType?: unknown;
  readonly options?: readonly unknown[];
  readonly def?: { readonly innerType?: unknown };
}

/** The schema of a key or an item; for a union, that of the first alternative that has it. */
export function schemaBelow(schema: unknown, step: string): unknown {
  const { shape, element, valueType, options } = (unwrapSchema(schema) ?? {}) as SchemaParts;
  const own = shape !== undefined && Object.hasOwn(shape, step) ? shape[step] : undefined;
  return own ?? element ?? valueType ?? options?.map((option) => schemaBelow(option, step)).find((found) => found !== undefined);
}

/** The keys of an object schema. */
export function schemaKeys(schema: unknown): string[] {
  return Object.keys((unwrapSchema(schema) as SchemaParts | undefined)?.shape ?? {});
}

/** The schema inside optional, default and prefault wrappers. */
export function unwrapSchema(schema: unknown): unknown {
  const inner = (schema as SchemaParts | undefined)?.def?.innerType;
  return inner === undefined ? schema : unwrapSchema(inner);
}
