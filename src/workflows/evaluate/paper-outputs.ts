import { tf } from '../../backend/index.js';
import type { MethodSummary, StructureRobustness, Table } from '../../eval/index.js';
import {
  type AblationVariant,
  ablationTable,
  comparisonFigure,
  exampleOf,
  kidneyTable,
  paperDataset,
  paperScoreTable,
  type Ranked,
} from '../../eval/index.js';
import type { Counting, Method } from '../../protocols/index.js';
import { UsageError, writeFileAtomic } from '../../util/index.js';
import { describeModels } from './describe.js';
import { VARIANTS } from './methods.js';
import type { EvaluationSettings, Material, PaperFigure } from './options.js';
import { measureMethod, measureRuntimes, runtimeTable } from './runtime.js';

export interface TableMaterial extends Material {
  /** All methods including the ablation's, ours first. */
  readonly all: readonly MethodSummary[];
  /** Excluding the ablation's. */
  readonly compared: readonly MethodSummary[];
  readonly robustness: readonly StructureRobustness[];
  /** Grid of the paper's protocol. */
  readonly grid: 'image' | 'prediction';
}

/** The requested tables of the paper, in order. */
export async function makePaperTables(options: EvaluationSettings, material: TableMaterial): Promise<Table[]> {
  const tables: Table[] = [];
  for (const number of [...new Set(options.tables)].sort()) {
    if (number === 2) tables.push(ablationTable(variantsOf(material)));
    if (number === 3 || number === 4) tables.push(paperScoreTable(number, material.compared, material.grid));
    if (number === 5) tables.push(kidneyTable(material.robustness));
    if (number === 6) tables.push(await runtimes(options, material));
  }
  return tables;
}

function variantsOf({ all, runFolds }: TableMaterial): AblationVariant[] {
  const trained = runFolds.every((fold) => fold.trained);
  const [ours] = all;
  const find = (name: string) => all.find(({ method }) => method === name);
  const variant = (name: string, summary: MethodSummary | undefined, reason: string): AblationVariant =>
    summary === undefined ? { name, reason } : { name, summary };
  return [
    variant(VARIANTS.base, trained ? find(VARIANTS.base) : ours, 'there are no weights to start from'),
    variant(
      VARIANTS.medsam,
      trained ? find(VARIANTS.medsam) : undefined,
      trained ? 'name a MedSAM: --medsam DIR' : 'nothing was fine-tuned',
    ),
    variant(VARIANTS.ours, trained ? ours : undefined, 'nothing was fine-tuned'),
  ];
}

async function runtimes(
  { backend = tf.getBackend(), onProgress }: EvaluationSettings,
  { methods, runFolds }: TableMaterial,
): Promise<Table> {
  const [method] = methods.ours;
  const [split] = methods.splits;
  if (method === undefined || split === undefined) throw new RangeError('runtimes: there is no image');
  const sample = await split.dataset.load(0);
  const phrase = sample.phrases[0] ?? 'lesion';
  const measured = await measureRuntimes(await method.load(), sample, phrase, backend);
  const others = [];
  for (const [i, other] of split.methods.entries()) {
    onProgress?.('timing', i, split.methods.length);
    others.push(await measureMethod(other, sample, phrase));
  }
  onProgress?.('timing', split.methods.length, split.methods.length);
  return runtimeTable({ ...measured, others: others.filter((one) => one !== undefined) }, describeModels(runFolds)[0] ?? '');
}

export interface FigureMaterial {
  readonly material: Material;
  readonly ranked: readonly Ranked[];
  readonly counting: Counting;
}

/**
 * Writes the paper's figure 2 (datasets used for training, and datasets that are not in the paper) or 3 (unseen ones): for each
 * dataset, the image with our median score.
 *
 * @throws UsageError when no dataset belongs to the figure.
 */
export async function writeFigure(
  figure: PaperFigure,
  file: string,
  { material, ranked, counting }: FigureMaterial,
): Promise<string> {
  const { collected } = material;
  const seen = figure === 2;
  const names = [...collected.surveys.keys()].filter((name) => (paperDataset(name)?.seen ?? true) === seen);
  const methods = collected.methods.filter((name) => name !== VARIANTS.base && name !== VARIANTS.medsam);
  // Other methods first, ours beside the ground truth, as in the paper.
  const columns = [...methods.slice(1), ...methods.slice(0, 1)];
  const rows = [];
  for (const dataset of names) {
    const own = ranked.filter((one) => one.dataset === dataset);
    const middle = own[Math.floor((own.length - 1) / 2)];
    if (middle === undefined) continue;
    const answering = columns.map((name) => {
      const method = middle.split.methods.find((one) => one.name === name) as Method;
      return { name, method, rows: collected.rows };
    });
    rows.push({ dataset, example: await exampleOf(middle, answering, collected.plans, counting) });
  }
  if (rows.length === 0)
    throw new UsageError({
      code: 'E_OPTION_CONFLICT',
      where: `--figure ${figure}`,
      what: `none of ${[...collected.surveys.keys()].join(', ')} is ${seen ? 'a seen' : 'an unseen'} dataset of the paper`,
      fix: `Ask for --figure ${seen ? 3 : 2}`,
    });
  await writeFileAtomic(file, await comparisonFigure(rows, columns));
  return file;
}
