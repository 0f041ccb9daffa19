import type { ConstantMask, MethodSummary, PresenceSummary, StructureRobustness, Table } from '../../eval/index.js';
import {
  type Example,
  evaluationPage,
  exampleOf,
  GALLERY,
  type HeadlineFigure,
  percentText,
  type Ranked,
  readTrainingCurves,
  spread,
  type TrustMaterial,
} from '../../eval/index.js';
import { type Counting, type Method, PAPER_THRESHOLD } from '../../protocols/index.js';
import type { RunConfig } from '../../train/index.js';
import { counted, writeFileAtomic } from '../../util/index.js';
import { describeCounting, describeModels, describePrompts } from './describe.js';
import { OURS } from './methods.js';
import type { EvaluationSettings, Material } from './options.js';

export interface PageMaterial {
  readonly config: RunConfig;
  readonly options: EvaluationSettings;
  readonly material: Material;
  readonly compared: readonly MethodSummary[];
  readonly tables: readonly Table[];
  readonly presence: PresenceSummary;
  readonly trust: TrustMaterial;
  readonly robustness: readonly StructureRobustness[];
  readonly constantMask: ConstantMask;
  readonly ranked: readonly Ranked[];
  readonly counting: Counting;
}

/** Writes the page of an evaluation. Images are reloaded one by one; masks come from the cache. */
export async function writePage(file: string, page: PageMaterial): Promise<void> {
  const { config, options, material, ranked, counting, constantMask } = page;
  const { collected, runFolds, calibration } = material;
  const { rows, plans, surveys } = collected;
  const chosen = spread(ranked, GALLERY);
  async function* examples(): AsyncGenerator<Example> {
    for (const [k, one] of chosen.entries()) {
      const method = one.split.methods[0] as Method;
      yield await exampleOf(one, [{ name: 'prediction', method, rows }], plans, counting);
      options.onProgress?.('gallery', k + 1, chosen.length);
    }
  }
  const all = [...surveys.values()];
  const facts = [
    `${all.map(({ name, images }) => `${counted(images, 'image')} of ${name}`).join(', ')} (${options.split}); ${describeModels(runFolds).join('; ')}.`,
    `Strict: ${describeCounting(counting)}. Paper: the best box above ${PAPER_THRESHOLD}.`,
    ...all.map((survey) => `Prompt for ${survey.name}: ${describePrompts(survey, plans).strict}.`),
    `Constant-mask baseline: a DSC of ${percentText(constantMask.dsc)}.`,
    ...(calibration ? [`Threshold for presence: ${calibration.threshold.toFixed(4)}.`] : []),
  ];
  const folders = runFolds.map(({ dir }, k) => ({ name: runFolds.length > 1 ? `Loss of fold ${k + 1}` : 'Loss', dir }));
  const html = await evaluationPage({
    title: `Evaluation of ${config.run.dir}`,
    facts,
    warnings: [...collected.warnings, ...material.methods.warnings],
    figures: headline(page.compared[0]),
    tables: page.tables,
    curves: await readTrainingCurves(folders),
    groups: [{ name: '', rows: rows.filter((row) => row.method === OURS && row.protocol === 'strict') }],
    presence: page.presence,
    trust: page.trust,
    robustness: page.robustness,
    examples: examples(),
    images: ranked.length,
  });
  await writeFileAtomic(file, html);
}

function headline(ours: MethodSummary | undefined): HeadlineFigure[] {
  if (ours === undefined) return [];
  const { strict, paper } = ours;
  const { pooled } = strict;
  const several = Object.keys(strict.datasets).length > 1;
  const ends = pooled.interval.dsc;
  return [
    {
      label: 'DSC, strict',
      value: percentText(several ? strict.overall.dsc : pooled.dsc),
      small: several ? 'mean of datasets' : counted(pooled.n, 'image'),
    },
    {
      label: 'IoU, strict',
      value: percentText(several ? strict.overall.iou : pooled.iou),
      small: ends === null ? '' : `DSC of all images: 95 % from ${ends[0].toFixed(1)} to ${ends[1].toFixed(1)}`,
    },
    {
      label: 'DSC, paper’s protocol',
      value: percentText(several ? paper.overall.dsc : paper.pooled.dsc),
      small: `${counted(paper.pooled.falseNegatives, 'false negative')} excluded`,
    },
    {
      label: 'False negatives',
      value: String(pooled.falseNegatives),
      small: `in ${counted(pooled.n, 'image that shows', 'images that show')} a structure`,
    },
    {
      label: 'False positives',
      value: String(pooled.falsePositives.count),
      small: `for ${counted(pooled.falsePositives.of, 'absent structure')}`,
    },
  ];
}
