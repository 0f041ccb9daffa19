import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Series } from './charts.js';

/** The loss of a training, one point per epoch. */
export interface TrainingCurve {
  readonly name: string;
  readonly series: readonly Series[];
}

/**
 * Reads `log.jsonl` of each folder of a run (one per fold). Damaged lines and the steps between epochs are skipped; a folder
 * without a log has no curve.
 */
export async function readTrainingCurves(
  folders: readonly { readonly name: string; readonly dir: string }[],
): Promise<TrainingCurve[]> {
  const curves = await Promise.all(
    folders.map(async ({ name, dir }) => {
      const text = await readFile(join(dir, 'log.jsonl'), 'utf8').catch(() => '');
      const epochs = text.split('\n').flatMap(epochOf);
      const series = (['train', 'val'] as const).map((part): Series => {
        const points = epochs.flatMap((epoch) => {
          const [x, y] = [epoch['epoch'], epoch[part]];
          return typeof x === 'number' && typeof y === 'number' ? [[x, y] as const] : [];
        });
        return { label: part === 'train' ? 'training' : 'validation', points };
      });
      return { name, series: series.filter(({ points }) => points.length > 0) };
    }),
  );
  return curves.filter(({ series }) => series.length > 0);
}

function epochOf(line: string): Record<string, unknown>[] {
  try {
    const entry: unknown = JSON.parse(line);
    if (typeof entry !== 'object' || entry === null) return [];
    const record = entry as Record<string, unknown>;
    return record['event'] === 'epoch' ? [record] : [];
  } catch {
    return [];
  }
}
