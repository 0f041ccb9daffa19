import { join } from 'node:path';
import { between, type MethodSummary, meanStd, percentText } from '../../eval/index.js';
import type { EvaluateRunResult } from '../../workflows/index.js';
import { consoleLogger } from '../console-logger.js';

/** Prints the scores of an evaluation, its warnings and its main files. */
export function printEvaluation({ summaries, comparisons, constantMask, warnings, calibration, files }: EvaluateRunResult): void {
  for (const summary of summaries) printMethod(summary, summaries.length > 1);
  // Of many methods, pairs without ours are too many to read here.
  const withOurs = comparisons.filter(({ methods }) => methods[0] === summaries[0]?.method);
  for (const { protocol, dataset, methods, difference, interval, wilcoxon } of withOurs) {
    const range = between(interval);
    consoleLogger.info(
      `${protocol}, ${dataset}: ${methods[0]} − ${methods[1]} = ${difference.toFixed(2)}${range === null ? '' : ` (95 % ${range})`}, Wilcoxon p = ${wilcoxon.holm.toPrecision(2)} after Holm`,
    );
  }
  const others = comparisons.length - withOurs.length;
  if (others > 0) consoleLogger.info(`${others} comparisons of other methods with one another: in the table comparison`);
  consoleLogger.info(
    `constant-mask baseline: ${constantMask.dsc === null ? 'none, as no training image shows anything' : `DSC ${percentText(constantMask.dsc, 2)}`}`,
  );
  if (calibration !== undefined) {
    const { threshold, absent, falsePositiveRate, detectionRate } = calibration;
    consoleLogger.info(
      `threshold for presence ${threshold.toFixed(4)}: ${percentText(100 * falsePositiveRate)} of ${absent} absent structures pass, ${detectionRate === null ? 'no present one was available' : `${percentText(100 * detectionRate)} of the present ones`}`,
    );
  }
  for (const warning of warnings) consoleLogger.warn(warning);
  const main = files.filter((name) => /(metrics[^/]*\.json|per-image[^/]*\.csv|\.html|\.png|calibration\.json)$/.test(name));
  for (const name of main) consoleLogger.info(name);
  const table = files.find((name) => name.endsWith('.md'));
  if (table !== undefined) consoleLogger.info(`tables: ${join(table, '..')}`);
}

function printMethod({ method, strict, paper, untrained }: MethodSummary, several: boolean): void {
  const names = Object.keys(strict.datasets);
  if (untrained !== undefined) {
    const counts = names.map((name) => `${untrained[name] ?? 0} of ${name}`).join(', ');
    consoleLogger.info(`${method}: random weights, never averaged; images: ${counts}`);
    return;
  }
  const line = (name: string, s: MethodSummary['strict']['pooled'], p: MethodSummary['paper']['pooled']) =>
    consoleLogger.info(
      `${several ? `${method}, ` : ''}${name}: strict DSC ${meanStd(s.dsc, s.std) ?? '–'} %, IoU ${percentText(s.iou, 2)}, ${s.falseNegatives} false negatives in ${s.n}; paper DSC ${meanStd(p.dsc, p.std) ?? '–'} % over ${p.n}`,
    );
  for (const name of names) {
    const [s, p] = [strict.datasets[name], paper.datasets[name]];
    if (s !== undefined && p !== undefined) line(name, s, p);
  }
  if (names.length > 1) {
    consoleLogger.info(
      `${several ? `${method}, ` : ''}mean of datasets: strict DSC ${percentText(strict.overall.dsc, 2)}, paper DSC ${percentText(paper.overall.dsc, 2)}`,
    );
    line('all images', strict.pooled, paper.pooled);
  }
}
