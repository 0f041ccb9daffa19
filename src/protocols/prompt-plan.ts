import type { Sample } from '../data/index.js';
import { UsageError } from '../util/index.js';
import type { DatasetSurvey } from './survey.js';

/**
 * The prompts of a strict evaluation. `fixed`: the same phrases for every image of a dataset, whatever it contains. `own`: the
 * images' own prompts, which include absent structures.
 */
export type PromptPlan =
  | { readonly kind: 'fixed'; readonly phrases: readonly string[]; readonly whole: boolean }
  | { readonly kind: 'own' };

/**
 * Chooses the prompt of a dataset: the caller's words, else the images' own prompts, else all names that its images use.
 *
 * @param words - phrases to use instead. A single phrase that no image uses stands for all structures of an image.
 * @throws UsageError when several phrases omit a structure that images contain.
 */
export function planPrompt({ name, shown, asked, ownQuestions }: DatasetSurvey, words?: readonly string[]): PromptPlan {
  if (words !== undefined) {
    const forgotten = shown.filter((phrase) => !words.includes(phrase));
    if (forgotten.length === 0) return { kind: 'fixed', phrases: words, whole: false };
    if (words.length === 1) return { kind: 'fixed', phrases: words, whole: true };
    throw new UsageError({
      code: 'E_OPTION_CONFLICT',
      where: '--prompt',
      what: `it does not ask for ${forgotten.join(', ')}, which ${name} shows`,
      fix: 'Name one phrase for everything, or all of them',
    });
  }
  if (ownQuestions) return { kind: 'own' };
  return { kind: 'fixed', phrases: asked, whole: false };
}

/** The phrases that a plan prompts for in an image. */
export function phrasesOf(plan: PromptPlan, sample: Sample): readonly string[] {
  return plan.kind === 'fixed' ? plan.phrases : sample.phrases;
}

/** Describes which label information a prompt leaks; undefined if none. */
export function leakOf(protocol: 'strict' | 'paper', survey: DatasetSurvey, plan: PromptPlan): string | undefined {
  const { name, shown, structures } = survey;
  if (shown.length < 2) return undefined;
  if (protocol === 'paper') {
    const kind = structures ? 'structure' : 'class';
    return `${name}: the paper's prompt is the true ${kind} of each image (${shown.join(', ')}): it reveals the label, so classification is not measured`;
  }
  if (plan.kind === 'own')
    return `${name}: each image has its own prompt, which names absent structures as well as those that it shows`;
  return undefined;
}
