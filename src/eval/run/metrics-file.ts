import { readFile } from 'node:fs/promises';
import { writeFileAtomic } from '../../util/index.js';
import type { DatasetScore } from '../summary/dataset-score.js';

/**
 * Adds figures to a `metrics.json`, keeping what training and the demo wrote into it. Where no training wrote `test`, it holds
 * the strict figures over all images.
 *
 * @param pooled - strict figures of our models over all images; absent for other parts of the data.
 */
export async function mergeMetrics(file: string, figures: Record<string, unknown>, pooled?: DatasetScore): Promise<void> {
  const text = await readFile(file, 'utf8').catch(() => '{}');
  const known = parse(text);
  const trained = known['training'] !== undefined || known['after'] !== undefined;
  const test = pooled === undefined || (trained && known['test'] !== undefined) ? {} : { test: testFigures(pooled) };
  await writeFileAtomic(file, `${JSON.stringify({ ...known, ...test, ...figures }, null, 2)}\n`);
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
  } catch {
    // A file that a stopped program left half written holds nothing worth keeping.
    return {};
  }
}

/** In the form in which a training writes them. */
function testFigures({ dsc, iou, std, boxIou, dscGivenTrueBox, n, missed, structures, falseAlarms }: DatasetScore) {
  return { dsc, iou, std, boxIou, dscGivenTrueBox, n, missed, images: n, perStructure: structures, falseAlarms };
}
