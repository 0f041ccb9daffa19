import type { Module } from '../nn/index.js';
import { ConfigError, compilePattern, nearest } from '../util/index.js';

/** A module and all paths that lead to it, in order of registration. */
export interface Place {
  readonly module: Module;
  readonly paths: readonly [string, ...string[]];
}

/** Every distinct module below the root, with its paths. */
export function placesIn(root: Module): Place[] {
  const places = new Map<Module, [string, ...string[]]>();
  for (const [path, module] of root.namedModules()) {
    if (path === '') continue;
    const paths = places.get(module);
    if (paths === undefined) places.set(module, [path]);
    else paths.push(path);
  }
  return [...places].map(([module, paths]) => ({ module, paths }));
}

/**
 * The modules that match ordered patterns, each once.
 *
 * @throws ConfigError naming every pattern without a match, with the nearest existing paths.
 */
export function placesFitting(places: readonly Place[], patterns: readonly string[], where: string): Place[] {
  const found = new Set<Place>();
  const problems: string[] = [];
  for (const pattern of patterns) {
    const expression = compilePattern(pattern);
    const fitting = places.filter(({ paths }) => paths.some((path) => expression.test(path)));
    for (const place of fitting) found.add(place);
    if (fitting.length === 0) problems.push(`${pattern} fits nothing${suggestion(pattern, places)}`);
  }
  if (problems.length > 0)
    throw new ConfigError({
      code: 'E_CONFIG_PATTERN',
      where,
      what: problems.join('; '),
      fix: 'Patterns are written over module paths, `*` for one step',
    });
  return [...found];
}

/** The value of the first pattern that matches one of the module's paths. */
export function firstFitting<T>(patterns: Readonly<Record<string, T>>, { paths }: Place): T | undefined {
  const hit = Object.entries(patterns).find(([pattern]) => paths.some((path) => compilePattern(pattern).test(path)));
  return hit?.[1];
}

function suggestion(pattern: string, places: readonly Place[]): string {
  const general = [...new Set(places.flatMap(({ paths }) => paths.map((path) => path.replace(/\.\d+(?=\.|$)/g, '.*'))))];
  const near = nearest(pattern, general);
  return near === undefined ? '' : `, did you mean ${near}?`;
}
