/** A JSON value with some keys renamed, at any depth. */
export function renameKeys(value: unknown, names: Readonly<Record<string, string>>): unknown {
  if (Array.isArray(value)) return value.map((item) => renameKeys(item, names));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [
    Object.hasOwn(names, key) ? names[key] : key,
    renameKeys(item, names),
  ]);
  return Object.fromEntries(entries);
}
