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
  return compilePattern(pattern).test(path);
}

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
