import { linearCapture, linearPattern } from '../util/index.js';

/** Whether the path of a layer fits what a configuration of PEFT says. */
export type PathTest = (path: string) => boolean;

/** What single layers have of their own in a configuration of PEFT: ranks, alphas. */
export type OwnValue = (path: string) => number | undefined;

/** How many patterns that are more than names one field may have, and how many characters together. */
const MAX_PATTERNS = 500;
const MAX_CHARACTERS = 100_000;

/**
 * Reads `rank_pattern` or `alpha_pattern`: keys are regular expressions for the end of a path, of which the first that fits
 * decides. Most are names, written with or without backslashes before their dots, and compared as such.
 *
 * @throws SyntaxError naming the key that is no pattern.
 * @see PEFT's `get_pattern_key`
 */
export function ownValues(table: Readonly<Record<string, number>>): OwnValue {
  checkNumber(Object.keys(table));
  const entries = Object.entries(table).map(([key, value]) => ({ test: endTest(key), value }));
  return (path) => entries.find(({ test }) => test(path))?.value;
}

/**
 * Reads `target_modules` or `exclude_modules`: a regular expression for a whole path, or a list of paths and endings of paths.
 *
 * @throws SyntaxError when it is no pattern.
 * @see PEFT's `check_target_module_exists`
 */
export function moduleTest(modules: string | readonly string[]): PathTest {
  if (typeof modules === 'string') return linearPattern(modules);
  const names = new Set(modules);
  return (path) => endingsOf(path).some((ending) => names.has(ending));
}

/**
 * Reads `modules_to_save`, in which each name is the ending of a path, of a module or of one above it.
 *
 * @throws SyntaxError when one is no pattern.
 */
export function belowSavedTest(modules: readonly string[]): PathTest {
  checkNumber(modules);
  const tests = modules.map((name) => (isName(name) ? undefined : linearPattern(`(?:|.*\\.)(?:${name})(?:|\\..*)`)));
  const names = modules.filter(isName).map((name) => name.replaceAll('\\', ''));
  return (path) => names.some((name) => `.${path}.`.includes(`.${name}.`)) || tests.some((test) => test?.(path));
}

/**
 * Reads `layers_to_transform` and `layers_pattern`: the numbers of the layers, and what stands before the number in a path.
 *
 * @throws SyntaxError when one is no pattern.
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

/** Letters, digits and dots, which may have a backslash. */
function isName(source: string): boolean {
  return /^(?:[\w.-]|\\\.)*$/.test(source);
}

function endTest(key: string): PathTest {
  if (!isName(key)) {
    linearPattern(key); // alone it has to be one too
    return linearPattern(`(?:.*\\.)?(?:${key})`);
  }
  // A bare dot stands for any character in a pattern; a name means itself.
  const name = key.replaceAll('\\', '');
  return (path) => path === name || path.endsWith(`.${name}`);
}

/** A path, and what is left of it without its first steps. */
function endingsOf(path: string): string[] {
  const steps = path.split('.');
  return steps.map((_, i) => steps.slice(i).join('.'));
}
