import type { Module } from '../nn/index.js';
import { ConfigError, compilePattern, linearCapture, linearPattern, nearest } from '../util/index.js';

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

/** Whether a PEFT configuration matches the path of a layer. */
export type PathTest = (path: string) => boolean;

/** Per-layer values of a PEFT configuration: ranks, alphas. */
export type OwnValue = (path: string) => number | undefined;

/** Maximum number of patterns other than plain names in a field, and of characters in all of them. */
const MAX_PATTERNS = 500;
const MAX_CHARACTERS = 100_000;

/**
 * Parses `rank_pattern` or `alpha_pattern`: keys are regular expressions for the end of a path; the first match applies. Most are
 * names, with or without backslashes before their dots, and are compared literally.
 *
 * @throws SyntaxError naming the key that is not a valid pattern.
 * @see PEFT's `get_pattern_key`
 */
export function ownValues(table: Readonly<Record<string, number>>): OwnValue {
  checkNumber(Object.keys(table));
  const entries = Object.entries(table).map(([key, value]) => ({ test: endTest(key), value }));
  return (path) => entries.find(({ test }) => test(path))?.value;
}

/**
 * Parses `target_modules` or `exclude_modules`: a regular expression for a full path, or a list of paths and path suffixes.
 *
 * @throws SyntaxError when it is not a valid pattern.
 * @see PEFT's `check_target_module_exists`
 */
export function moduleTest(modules: string | readonly string[]): PathTest {
  if (typeof modules === 'string') return linearPattern(modules);
  const names = new Set(modules);
  return (path) => endingsOf(path).some((ending) => names.has(ending));
}

/**
 * Parses `modules_to_save`, in which each name is a path suffix of a module or of one of its ancestors.
 *
 * @throws SyntaxError when one is not a valid pattern.
 */
export function belowSavedTest(modules: readonly string[]): PathTest {
  checkNumber(modules);
  const tests = modules.map((name) => (isName(name) ? undefined : linearPattern(`(?:|.*\\.)(?:${name})(?:|\\..*)`)));
  const names = modules.filter(isName).map((name) => name.replaceAll('\\', ''));
  return (path) => names.some((name) => `.${path}.`.includes(`.${name}.`)) || tests.some((test) => test?.(path));
}

/**
 * Parses `layers_to_transform` and `layers_pattern`: layer indices, and the path component before the index.
 *
 * @throws SyntaxError when one is not a valid pattern.
 */
export function layerTest(numbers: readonly number[], patterns: readonly string[]): PathTest {
  const wanted = new Set(numbers);
  const before = patterns.length === 0 ? ['[^.]*'] : patterns;
  const captures = before.map((pattern) => linearCapture(`.*\\.(?:${pattern})\\.(\\d+)\\.`));
  return (path) => {
    const number = captures.map((capture) => capture(path)).find((found) => found !== undefined);
    return number !== undefined && wanted.has(Number(number));
  };
}

function checkNumber(sources: readonly string[]): void {
  const patterns = sources.filter((source) => !isName(source));
  const characters = patterns.reduce((sum, { length }) => sum + length, 0);
  if (patterns.length > MAX_PATTERNS || characters > MAX_CHARACTERS)
    throw new SyntaxError(`${patterns.length} patterns of ${characters} characters are more than are read`);
}

/** Whether it consists of letters, digits and dots, the latter optionally escaped. */
function isName(source: string): boolean {
  return /^(?:[\w.-]|\\\.)*$/.test(source);
}

function endTest(key: string): PathTest {
  if (!isName(key)) {
    linearPattern(key); // on its own it must be valid too
    return linearPattern(`(?:.*\\.)?(?:${key})`);
  }
  // An unescaped dot matches any character in a pattern; a name matches literally.
  const name = key.replaceAll('\\', '');
  return (path) => path === name || path.endsWith(`.${name}`);
}

/** A path and all its suffixes. */
function endingsOf(path: string): string[] {
  const steps = path.split('.');
  return steps.map((_, i) => steps.slice(i).join('.'));
}
