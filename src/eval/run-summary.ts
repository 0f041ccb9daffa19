import type { Evaluation, Row } from './evaluate.js';

/** Means over rows, in percent. */
export interface Score {
  readonly dsc: number;
  readonly iou: number;
  /** Population standard deviation of the DSC. */
  readonly std: number;
  readonly boxIou: number;
  readonly dscGivenTrueBox: number;
  readonly n: number;
  readonly missed: number;
}

export interface Summary extends Score {
  readonly images: number;
  readonly perStructure: Readonly<Record<string, Score>>;
  readonly falseAlarms: { readonly count: number; readonly of: number };
}

/** Means over all rows and over the rows of each phrase. Missed ones count as 0. */
export function summarise({ rows, absent, falseAlarms, images }: Evaluation): Summary {
  const phrases = [...new Set(rows.map(({ phrase }) => phrase))].sort();
  const perStructure = Object.fromEntries(
    phrases.map((phrase) => [phrase, scoreOf(rows.filter((row) => row.phrase === phrase))]),
  );
  return { ...scoreOf(rows), images, perStructure, falseAlarms: { count: falseAlarms, of: absent } };
}

function scoreOf(rows: readonly Row[]): Score {
  const mean = (pick: (row: Row) => number) => rows.reduce((sum, row) => sum + pick(row), 0) / Math.max(rows.length, 1);
  const dsc = mean((row) => row.dsc);
  return {
    dsc: percent(dsc),
    iou: percent(mean((row) => row.iou)),
    std: percent(Math.sqrt(mean((row) => (row.dsc - dsc) ** 2))),
    boxIou: percent(mean((row) => row.boxIou)),
    dscGivenTrueBox: percent(mean((row) => row.dscGivenTrueBox)),
    n: rows.length,
    missed: rows.filter((row) => row.missed).length,
  };
}

/** Percent with two decimals. */
function percent(fraction: number): number {
  return Math.round(fraction * 1e4) / 100;
}
