import { join } from 'node:path';
import type { Sample } from '../../data/index.js';
import {
  type Answering,
  colouredPhrases,
  type Example,
  evaluationPage,
  exampleOf,
  GALLERY,
  perImageCsv,
  rankImages,
  readTrainingCurves,
  spread,
} from '../../eval/index.js';
import { drawOverlay } from '../../imaging/index.js';
import { type Counting, countedBoxes, type Method, type PromptPlan, phrasesOf, type TargetRow } from '../../protocols/index.js';
import { writeFileAtomic } from '../../util/index.js';
import { describeCounting, describePrompts } from '../evaluate/describe.js';
import { type DemoConfig, trainings } from './config.js';
import type { Verdict } from './judge-models.js';
import { type DemoMetrics, headline, learntTable, retainedTable } from './tables.js';

/** Number of images that are also written as overlays. */
const OVERLAYS = 24;

export interface ReportMaterial {
  readonly metrics: DemoMetrics;
  readonly before: Verdict;
  readonly after: Verdict;
  /** Number of training images. */
  readonly learntFrom: number;
}

/**
 * Writes the demo's report: `report.html`, an evaluation page with panels before and after training, `per-image.csv` with the
 * rows of both, and `overlays/`. Uses cached answers.
 *
 * @returns the page's file.
 */
export async function writeReport(config: DemoConfig, { metrics, before, after, learntFrom }: ReportMaterial): Promise<string> {
  const { dir } = config.run;
  const counting: Counting = { threshold: config.eval.threshold, select: config.eval.select };
  const { plans, places, surveys } = after.learnt;
  const answering = [before, after].map((verdict): Answering => {
    const { methods, rows } = verdict.learnt;
    return { name: methods[0] as string, method: verdict.method, rows };
  });
  const groups = answering.map(({ name, rows }) => ({ name, rows }));
  const ranked = rankImages(places, after.learnt.rows, after.method.name);
  const phrases = colouredPhrases(groups.flatMap(({ rows }) => rows));
  const chosen = spread(ranked, GALLERY);
  async function* examples(): AsyncGenerator<Example> {
    for (const place of chosen) yield await exampleOf(place, answering, plans, counting);
  }
  const prompts = [...surveys.values()].map((survey) => `${survey.name} ${describePrompts(survey, plans).strict}`);
  const html = await evaluationPage({
    title: `sonoground demo: ${phrases.join(', ')}`,
    facts: [
      `The shipped models were never trained on such images. They are evaluated on ${places.length} of them before and after LoRA fine-tuning of the detector and the mask decoder on ${learntFrom} images of other subjects. The images are real; examples/README.md names the source.`,
      `Strict: ${describeCounting(counting)}. Prompt: ${prompts.join('; ')}.`,
    ],
    warnings: after.learnt.warnings,
    figures: headline(metrics),
    tables: [learntTable(metrics), retainedTable(metrics)],
    curves: await readTrainingCurves(trainings.map((name) => ({ name: `Loss of the ${name}`, dir: join(dir, name) }))),
    groups,
    examples: examples(),
    images: ranked.length,
  });
  const file = join(dir, 'report.html');
  await writeFileAtomic(file, html);
  await writeFileAtomic(join(dir, 'per-image.csv'), perImageCsv([...allRows(before), ...allRows(after)]));
  for (const { split, index, image } of spread(ranked, OVERLAYS)) {
    const sample = await split.dataset.load(index);
    const png = await overlay(sample, after.method, plans.get(sample.dataset) as PromptPlan, { counting, phrases });
    await writeFileAtomic(join(dir, 'overlays', `${image}.png`), png);
  }
  return file;
}

function allRows({ learnt, retained }: Verdict): TargetRow[] {
  return [learnt, ...retained].flatMap(({ rows }) => rows);
}

/** Draws the result after training, in the page's colours. */
async function overlay(
  sample: Sample,
  method: Method,
  plan: PromptPlan,
  { counting, phrases }: { readonly counting: Counting; readonly phrases: readonly string[] },
): Promise<Buffer> {
  const asked = phrasesOf(plan, sample);
  const answer = await method.answer(sample, asked);
  const boxes = asked.flatMap((phrase) => countedBoxes(answer, phrase, counting)).sort((a, b) => b.score - a.score);
  return drawOverlay(sample.image, boxes, phrases);
}
