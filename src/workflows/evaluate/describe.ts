import { type Counting, type DatasetSurvey, type PromptPlan, promptText } from '../../protocols/index.js';
import type { RunFold } from './run-folds.js';

/** Describes the prompts of a dataset under both protocols. */
export function describePrompts(
  { name, shown, structures }: DatasetSurvey,
  plans: ReadonlyMap<string, PromptPlan>,
): { readonly strict: string; readonly paper: string } {
  const plan = plans.get(name);
  return {
    strict: plan?.kind === 'fixed' ? `“${promptText(plan.phrases)}” in every image` : 'the prompt of each image',
    paper:
      shown.length === 1
        ? `“${promptText(shown)}”`
        : `the true ${structures ? 'structure' : 'class'} of each image: ${shown.join(', ')}`,
  };
}

/** Describes which boxes count under the strict protocol. */
export function describeCounting({ threshold, select }: Counting): string {
  return `${select === 'best-per-phrase' ? 'the best box of each phrase' : 'all boxes'} with a score of at least ${threshold}`;
}

/** The models of a run, or of each of its folds, each once. */
export function describeModels(folds: readonly RunFold[]): string[] {
  const texts = folds.map(({ models: { detector, adapter, masker, precision } }) => {
    const names = [detector, adapter, masker].filter((name) => name !== undefined).join(' + ');
    return precision === undefined ? names : `${names}, ${precision}`;
  });
  return [...new Set(texts)];
}
