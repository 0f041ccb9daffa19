import type { Module, Parameter } from '../nn/index.js';
import { sizeOf } from '../util/index.js';

/** Total and trainable number of parameters of a part of the model. */
export interface LoraCount {
  readonly total: number;
  readonly trainable: number;
  /** Trainable share of the total, 0 to 100. */
  readonly percent: number;
}

export interface LoraReport extends LoraCount {
  /** Counts by part of the model: the first two path components. */
  readonly groups: Readonly<Record<string, LoraCount>>;
}

/** Counts the parameters of a model, including adapters; shared ones count once. */
export function reportOf(model: Module): LoraReport {
  const groups = new Map<string, Parameter[]>();
  const seen = new Set<Parameter>();
  for (const [path, parameter] of model.namedParameters()) {
    if (seen.has(parameter)) continue;
    seen.add(parameter);
    const group = groupOf(path);
    groups.set(group, [...(groups.get(group) ?? []), parameter]);
  }
  const counts = [...groups].map(([name, parameters]) => [name, countOf(parameters)] as const);
  return { ...countOf([...seen]), groups: Object.fromEntries(counts) };
}

/** Formats a report as lines of text: one row per part of the model and one for the whole. */
export function reportTable({ groups, ...whole }: LoraReport): string[] {
  const rows = [...Object.entries(groups), ['whole model', whole] as const].map(([name, { total, trainable, percent }]) => [
    name,
    total.toLocaleString('en'),
    trainable.toLocaleString('en'),
    `${percent.toFixed(2)} %`,
  ]);
  const table = [['parameters', 'total', 'trained', 'share'], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return table.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
  );
}

function groupOf(path: string): string {
  const steps = path.split('.').slice(0, -1);
  return (
    steps
      .filter((step) => !/^\d+$/.test(step))
      .slice(0, 2)
      .join('.') || path
  );
}

function countOf(parameters: readonly Parameter[]): LoraCount {
  const sum = (some: readonly Parameter[]) => some.reduce((n, { shape }) => n + sizeOf(shape), 0);
  const total = sum(parameters);
  const trainable = sum(parameters.filter((parameter) => parameter.trainable));
  return { total, trainable, percent: total === 0 ? 0 : (100 * trainable) / total };
}
