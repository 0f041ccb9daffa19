import type { TargetRow } from '../../protocols/index.js';
import { csvText } from '../tables/csv.js';
import type { TrustedRow } from '../trust/trust-rows.js';

const COLUMNS: readonly (readonly [string, (row: TargetRow & Partial<TrustedRow>) => unknown])[] = [
  ['method', (row) => row.method],
  ['protocol', (row) => row.protocol],
  ['dataset', (row) => row.dataset],
  ['image', (row) => row.image],
  ['group', (row) => row.group],
  ['file', (row) => row.file],
  ['prompt', (row) => row.prompt],
  ['target', (row) => row.target],
  ['shown', (row) => row.shown],
  ['false_negative', (row) => row.falseNegative],
  ['counts', (row) => row.shown && (row.protocol === 'strict' || !row.falseNegative)],
  ['dsc', (row) => (row.shown ? percentCell(row.dsc) : undefined)],
  ['iou', (row) => (row.shown ? percentCell(row.iou) : undefined)],
  ['hd95', (row) => (row.shown && !Number.isNaN(row.hd95) ? row.hd95.toFixed(3) : undefined)],
  ['nsd', (row) => (row.shown ? percentCell(row.nsd) : undefined)],
  ['distance_unit', (row) => row.unit],
  ['detector_score', (row) => row.detectorScore.toFixed(5)],
  ['masker_score', (row) => row.maskerScore?.toFixed(5)],
  ['predicted_instances', (row) => row.predicted],
  ['true_instances', (row) => row.instances],
  ['found_instances', (row) => row.found],
  ['box_iou', (row) => (row.shown ? percentCell(row.boxIou) : undefined)],
  ['instance_dsc', (row) => (row.shown ? percentCell(row.instanceDsc) : undefined)],
  ['dsc_with_ground_truth_box', (row) => percentCell(row.dscWithGroundTruthBox)],
  ['flip_agreement', (row) => percentCell(row.flipAgreement)],
  ['wording_agreement', (row) => percentCell(row.wordingAgreement)],
  ['predicted_quality', (row) => percentCell(row.predictedQuality)],
];

/** All per-image results: one line per method, protocol, image and target. Overlaps in percent. */
export function perImageCsv(rows: readonly (TargetRow & Partial<TrustedRow>)[]): string {
  return csvText([COLUMNS.map(([name]) => name), ...rows.map((row) => COLUMNS.map(([, pick]) => pick(row)))]);
}

function percentCell(fraction: number | undefined): string | undefined {
  return fraction === undefined || Number.isNaN(fraction) ? undefined : (100 * fraction).toFixed(3);
}
