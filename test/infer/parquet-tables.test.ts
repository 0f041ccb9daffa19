import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import type { Calibration } from '../../src/imaging/index.js';
import type { JournalEntry } from '../../src/infer/batch/journal-entry.js';
import { writeParquetTables } from '../../src/infer/batch/parquet-tables.js';
import { isMeasured, type MeasuresFields, measureMask, measuresFields, spreadOf } from '../../src/measure/index.js';
import { ellipseMask } from '../support/ellipse-mask.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const dir = temporaryFolder('parquet-tables');
const read = async (name: string) => parquetReadObjects({ file: await asyncBufferFromFile(join(dir, name)) });
const mask = ellipseMask({ axesMm: [8, 5], angle: 0.4, spacingMm: [0.2, 0.1], offsetMm: [0.1, 0.3] });
const scaled: Calibration = { kind: 'image', spacingMm: [0.2, 0.1], source: 'PixelSpacing' };
const region = { name: 'region 1', boxXyxyPx: [0, 0, mask.width, mask.height], spacingMm: [0.2, 0.1], surfaceYPx: -3 } as const;
const inRegion: Calibration = {
  kind: 'regions',
  regions: [{ ...region, surfaceStated: true, prior: false }],
  source: 'SequenceOfUltrasoundRegions',
};

function entry(id: string, fields: readonly MeasuresFields[], verdicts?: JournalEntry['verdicts']): JournalEntry {
  const results = fields.map((measures, i) => ({
    file_name: `${id}.dcm`,
    category: 'cyst',
    category_id: 1,
    bbox: [1, 2, 3, 4] as const,
    score: 0.5 + i / 10,
    area: 12,
    ...measures,
  }));
  return { id, width: 8, height: 6, key: 'k', settings: 's', masks: 0, results, verdicts };
}

it('tables have measures and verdicts with the types and names of the JSON files', async () => {
  const measures = measureMask(mask, inRegion);
  if (!isMeasured(measures)) throw new Error(measures.reason);
  const fields = [
    measuresFields(measureMask(mask, scaled)),
    measuresFields(measureMask(mask, { kind: 'none', reason: 'no scale' })),
    measuresFields(measures, spreadOf([measures, measures], 1)),
  ];
  // All that may be absent is there once and absent once.
  expect(fields.map(({ measures: own }) => [own?.ellipse != null, own?.depth != null, own?.spread != null])).toEqual([
    [true, false, false],
    [false, false, false],
    [true, true, true],
  ]);
  const small = { width: 3, height: 1, data: Uint8Array.of(0, 1, 0) };
  fields.push(measuresFields(measureMask(small, scaled)));
  expect(fields[3]?.measures?.ellipse).toBeNull();
  const verdict = { phrase: 'cyst', present: true, score: 0.5, threshold: 0.4, own_threshold: false, false_positive_rate: 0.05 };
  await writeParquetTables(dir, [entry('a', fields, [{ file_name: 'a.dcm', ...verdict }]), entry('b', []), entry('c', [], [])]);
  const rows = await read('results.parquet');
  expect(rows.map(({ unmeasured }) => unmeasured)).toEqual([null, 'no scale', null, null]);
  for (const [i, { measures: own }] of rows.entries()) {
    const { ellipse, depth, ...others } = fields[i]?.measures ?? {};
    const expected = { ...others, ...(ellipse && { ellipse }), ...(depth && { depth }) };
    expect(own).toEqual(fields[i]?.measures === null ? undefined : expected);
  }
  expect((await read('images.parquet')).map(({ verdicts }) => verdicts)).toEqual([[verdict], undefined, []]);
});
