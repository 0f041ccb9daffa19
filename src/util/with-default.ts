import type { z } from 'zod';

/** Substitutes `value` for a missing or null field, as the reference does for its lists. */
export function withDefault<S extends z.ZodType>(schema: S, value: z.output<S>) {
  return schema.nullish().transform((given): z.output<S> => given ?? value);
}
