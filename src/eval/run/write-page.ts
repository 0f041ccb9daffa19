import type { RunConfig } from '../../train/index.js';
import { writeFileAtomic } from '../../util/index.js';
import type { TrivialGuess } from '../baseline.js';
import { type Example, exampleOf, type Ranked, spread } from '../gallery/examples.js';
import { evaluationPage } from '../page/evaluation-page.js';
import { readTrainingCurves } from '../page/training-curves.js';
import type { Counting } from '../predictions/combined-mask.js';
import type { Method } from '../predictions/method.js';
import type { PresenceSummary } from '../presence/presence-summary.js';
import { PAPER_THRESHOLD } from '../protocols/paper.js';
import type { StructureRobustness } from '../robustness/robustness-summary.js';
import type { MethodSummary } from '../tables/score-table.js';
import type { Table } from '../tables/table.js';
import type { TrustSummary } from '../trust/trust-summary.js';
import { describeModels, describePrompts } from './describe.js';
import { OURS } from './methods.js';
import type { EvaluationSettings, Material } from './options.js';

export interface PageMaterial {
  readonly config: RunConfig;
  readonly options: EvaluationSettings;
  readonly material: Material;
  readonly compared: readonly MethodSummary[];
  readonly tables: readonly Table[];
  readonly review: Table;
  readonly presence: PresenceSummary;
  readonly trust: TrustSummary;
  readonly robustness: readonly StructureRobustness[];
  readonly trivial: TrivialGuess;
  readonly ranked: readonly Ranked[];
  readonly counting: Counting;
}

/** Images that the page shows: each costs about 20 kB. */
const GALLERY = 120;

/** Writes the page of an evaluation. Images are loaded again one by one, their masks come from what is remembered. */
export async function writePage(file: string, page: PageMaterial): Promise<void> {
  const { config, options, material, ranked, counting, trivial } = page;
  const { collected, runParts, calibration } = material;
  const { rows, plans, surveys } = collected;
  const chosen = spread(ranked, GALLERY);
  async function* examples(): AsyncGenerator<Example> {
    for (const [k, one] of chosen.entries()) {
      yield await exampleOf(one, one.part.methods[0] as Method, plans, rows, counting);
      options.onProgress?.('gallery', k + 1, chosen.length);
    }
  }
  const all = [...surveys.values()];
  const facts = [
    `${all.map(({ name, images }) => `${images} images of ${name}`).join(', ')} (${options.split}); ${describeModels(runParts).join('; ')}.`,
    `Strict: boxes from a score of ${counting.threshold} on, ${counting.select === 'best' ? 'the best of each phrase' : 'all of them'}. Paper: the best box above ${PAPER_THRESHOLD}.`,
    ...all.map((survey) => `Prompt for ${survey.name}: ${describePrompts(survey, plans).strict}.`),
    `A guess that never looks at the image reaches a DSC of ${trivial.dsc.toFixed(1)} %.`,
    ...(calibration ? [`Score from which a thing counts as present: ${calibration.threshold.toFixed(4)}.`] : []),
  ];
  const folders = runParts.map(({ dir }, k) => ({ name: runParts.length > 1 ? `Loss of fold ${k + 1}` : 'Loss', dir }));
  const html = await evaluationPage({
    title: `Evaluation of ${config.run.dir}`,
    facts,
    warnings: collected.warnings,
    summaries: page.compared,
    tables: page.tables,
    curves: await readTrainingCurves(folders),
    rows: rows.filter((row) => row.method === OURS && row.protocol === 'strict'),
    presence: page.presence,
    trust: page.trust,
    robustness: page.robustness,
    review: page.review,
    examples: examples(),
    images: ranked.length,
  });
  await writeFileAtomic(file, html);
}
