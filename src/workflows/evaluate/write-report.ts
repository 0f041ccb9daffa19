import { join } from 'node:path';
import type { TrustedRow } from '../../eval/index.js';
import {
  compareMethods,
  comparisonTable,
  constantMaskBaseline,
  groupSizes,
  type MethodSummary,
  measureTable,
  perImageCsv,
  rankImages,
  reviewTable,
  robustnessTable,
  scoreTable,
  summarisePresence,
  summariseProtocol,
  summariseRobustness,
  summariseTrust,
  type Table,
  writeTable,
} from '../../eval/index.js';
import { type Method, PAPER_THRESHOLD } from '../../protocols/index.js';
import type { RunConfig } from '../../train/index.js';
import { writeFileAtomic } from '../../util/index.js';
import { addEvaluation, type MetricsContent, metricsFileOf } from '../metrics-file.js';
import { describeModels, describePrompts } from './describe.js';
import { OURS, VARIANTS } from './methods.js';
import type { EvaluateRunResult, EvaluationSettings, Material } from './options.js';
import { makePaperTables, writeFigure } from './paper-outputs.js';
import { writePage } from './write-page.js';

/** Summarises the collected rows and writes all files of an evaluation. */
export async function writeReport(
  config: RunConfig,
  options: EvaluationSettings,
  material: Material,
): Promise<EvaluateRunResult> {
  const { collected, methods, runFolds, calibration } = material;
  const { rows, plans, surveys } = collected;
  const { split, tolerance } = options;
  const { dir, seed } = config.run;
  const names = [...surveys.keys()];
  const warnings = [...collected.warnings, ...methods.warnings];
  const suffix = split === 'test' ? '' : `-${split}`;

  // a) figures
  const all = summaries(material, seed);
  const variants: readonly string[] = [VARIANTS.base, VARIANTS.medsam];
  const compared = all.filter(({ method }) => !variants.includes(method));
  const [ours] = compared as [MethodSummary, ...MethodSummary[]];
  const strictOurs = rows.filter((row): row is TrustedRow => row.method === OURS && row.protocol === 'strict');
  const trained = collected.methods.filter((name) => !collected.untrained.includes(name));
  const comparisons = compareMethods(rows, trained, names, seed);
  const presence = summarisePresence(strictOurs);
  // Additional negatives have no masks to rate.
  const judged = strictOurs.filter(({ predictedQuality }) => predictedQuality !== undefined);
  const trust = summariseTrust(judged);
  const robustness = summariseRobustness(collected.wordingRows);
  const { places, truths } = collected;
  const constantMask = await constantMaskBaseline(
    runFolds.map(({ data }, k) => ({
      train: data.train,
      test: truths.filter((_, i) => places[i]?.split === methods.splits[k]),
    })),
  );

  // b) tables and images
  const scores = scoreTable(compared, { tolerance, grid: config.eval.grid });
  const review = reviewTable(judged);
  const sizes = groupSizes(strictOurs);
  const tables: Table[] = [
    scores,
    ...(comparisons.length > 0 ? [comparisonTable(comparisons)] : []),
    ...(robustness.length > 0 ? [robustnessTable(robustness)] : []),
    ...(sizes.length > 0 ? [measureTable(sizes)] : []),
    ...(await makePaperTables(options, { ...material, all, compared, robustness, grid: config.eval.grid })),
  ];
  const files: string[] = [];
  for (const table of [...tables, review]) files.push(...(await writeTable(join(dir, `tables${suffix}`), table)));
  const ranked = rankImages(collected.places, rows, OURS);
  const counting = { threshold: config.eval.threshold, select: config.eval.select };
  for (const figure of options.figures)
    files.push(await writeFigure(figure, join(dir, `figure-${figure}${suffix}.png`), { material, ranked, counting }));

  // c) machine-readable figures
  const metricsFile = metricsFileOf(config.run, split);
  const { roc: _, ...present } = presence;
  const figures: MetricsContent = {
    strict: ours.strict,
    paper: ours.paper,
    methods: Object.fromEntries(
      all.slice(1).flatMap(({ method, untrained, ...both }) => (untrained === undefined ? [[method, both]] : [])),
    ),
    comparisons,
    prompts: Object.fromEntries([...surveys].map(([name, survey]) => [name, describePrompts(survey, plans)])),
    warnings,
    settings: {
      strict: counting,
      paper: { threshold: PAPER_THRESHOLD, select: 'best-per-image' },
      grid: config.eval.grid,
      tolerance,
      bootstrap: { seed, draws: 2000, confidence: 0.95 },
    },
    evaluated: { split, models: describeModels(runFolds), fingerprints: methods.ours.map(({ fingerprint }) => fingerprint) },
    presence: { ...present, ...(calibration && { calibration }) },
    trust,
    robustness,
    constantMask,
  };
  await addEvaluation(metricsFile, figures, split === 'test' ? ours.strict.pooled : undefined);
  const csvFile = join(dir, `per-image${suffix}.csv`);
  await writeFileAtomic(csvFile, perImageCsv(rows));

  // d) the page
  const pageFile = join(dir, `evaluation${suffix}.html`);
  await writePage(pageFile, {
    config,
    options,
    material,
    compared,
    tables,
    presence,
    trust: { summary: trust, rows: judged, review },
    robustness,
    constantMask,
    ranked,
    counting,
  });
  files.push(metricsFile, csvFile, ...(calibration ? [calibration.file] : []), pageFile);
  return { summaries: all, comparisons, constantMask, warnings, ...(calibration && { calibration }), files };
}

/** Both protocols of each method, ours first. */
function summaries({ collected, methods: { splits } }: Material, seed: number): MethodSummary[] {
  const { methods, rows, boxes, surveys } = collected;
  const names = [...surveys.keys()];
  return methods.map((method) => {
    const own = rows.filter((row) => row.method === method);
    const random = collected.untrained.includes(method);
    const sum = (protocol: 'strict' | 'paper') =>
      summariseProtocol(random ? [] : own, (random ? undefined : boxes.get(method)) ?? new Map(), { protocol, names, seed });
    const facts = factsOf(
      splits.map((split) => split.methods.find(({ name }) => name === method)),
      names,
    );
    const untrained = random && { untrained: imagesOf(own, names) };
    return { method, strict: sum('strict'), paper: sum('paper'), ...facts, ...untrained };
  });
}

/** The number of images of each dataset among rows. */
function imagesOf(rows: Material['collected']['rows'], names: readonly string[]): Record<string, number> {
  const counts = names.map((name) => new Set(rows.flatMap(({ dataset, image }) => (dataset === name ? [image] : []))).size);
  return Object.fromEntries(names.map((name, i) => [name, counts[i] as number]));
}

/** What a method is given and has seen; over the folds of a cross-validation, what all of its models have in common. */
function factsOf(
  folds: readonly (Method | undefined)[],
  datasets: readonly string[],
): Pick<MethodSummary, 'given' | 'note' | 'seen'> {
  const { given, note } = folds[0] ?? {};
  const seen = datasets.map((name) => {
    const [only = 'unknown', ...others] = new Set(folds.map((method) => method?.seen?.(name) ?? 'unknown'));
    return [name, others.length === 0 ? only : 'unknown'] as const;
  });
  return { ...(given !== undefined && { given }), ...(note !== undefined && { note }), seen: Object.fromEntries(seen) };
}
