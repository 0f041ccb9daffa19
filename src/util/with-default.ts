import type { z } from 'zod';

/** Takes `value` where a field is missing or null, as the reference does for its lists. */
export function withDefault<S extends z.ZodType>(schema: S, value: z.output<S>) {
  return schema.nullish().transform((given): z.output<S> => given ?? value);
}
