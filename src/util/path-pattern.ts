/**
 * Compiles a pattern over dotted module paths. `*` matches one component, `**` any number of components (at the end of a pattern
 * one or more: everything below), `{a,b}` either alternative, and anything else itself:
 * `model.decoder.layers.*.encoder_attn.{value_proj,output_proj}`.
 */
export function compilePattern(pattern: string): RegExp {
  const source = pattern.split('.').map(stepSource);
  return new RegExp(`^${joinSteps(source)}$`);
}

/** Whether a dotted path matches a pattern of {@link compilePattern}. */
export function matchesPattern(path: string, pattern: string): boolean {
  let known = compiled.get(pattern);
  if (known === undefined) {
    if (compiled.size >= KEPT) compiled.clear();
    known = compilePattern(pattern);
    compiled.set(pattern, known);
  }
  return known.test(path);
}

/** Recent patterns: every path of a model is compared with each. */
const compiled = new Map<string, RegExp>();
const KEPT = 1000;

const ANY_STEPS = '**';

function stepSource(step: string): string {
  if (step === ANY_STEPS) return ANY_STEPS;
  return step
    .replace(/[.+?^$()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '[^.]*')
    .replace(/\{([^}]*)\}/g, (_, choices: string) => `(?:${choices.split(',').join('|')})`);
}

function joinSteps(steps: readonly string[]): string {
  return steps.reduce((joined, step, i) => {
    const last = i === steps.length - 1;
    if (step === ANY_STEPS) return `${joined}${last ? '(?:[^.]+(?:\\.[^.]+)*)?' : '(?:[^.]+\\.)*'}`;
    return `${joined}${step}${last ? '' : '\\.'}`;
  }, '');
}
