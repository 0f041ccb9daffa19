import type { TargetRow } from '../../protocols/index.js';
import { groupSizes, type MeasureGroup, unitOf } from '../measures/measure-table.js';
import { lineChart } from './charts.js';
import { section } from './html.js';

/** Bland-Altman plots of each measure; empty where no image has a scale. */
export function measuresSection(rows: readonly TargetRow[]): string[] {
  const groups = groupSizes(rows);
  if (groups.length === 0) return [];
  const charts = groups.map(blandAltman).join('');
  return [section('measures', 'Millimetres', `<div class="charts">${charts}</div>`)];
}

function blandAltman({ dataset, measure, pairs, agreement: { bias, limits } }: MeasureGroup): string {
  const points = pairs.map(({ measured, truth }) => [(measured + truth) / 2, measured - truth] as const);
  const means = points.map(([mean]) => mean);
  const ends = [Math.min(...means), Math.max(...means)] as const;
  const level = (label: string, value: number) => ({
    label: `${label} ${value.toFixed(2)}`,
    kind: 'guide' as const,
    points: ends.map((x) => [x, value] as const),
  });
  const guides = [level('bias', bias), ...(pairs.length < 2 ? [] : limits.map((limit) => level('limit of agreement', limit)))];
  const unit = unitOf(measure);
  return lineChart([{ label: 'targets', kind: 'dots', points }, ...guides], {
    title: `${dataset}: ${measure}, predicted and true`,
    x: `mean of predicted and true, ${unit}`,
    y: `predicted minus true, ${unit}`,
  });
}
