import { join } from 'node:path';
import type { MeasuresRecord } from '../../measure/index.js';
import { writeFileAtomic } from '../../util/index.js';
import type { FoundInImage } from './coco-result.js';
import type { JournalEntry } from './journal-entry.js';
import { type Column, type Columns, ParquetTable } from './parquet-table.js';

/** One row an object. */
const resultsTable = 'results.parquet';

/** One row an image, also where nothing was found. */
const imagesTable = 'images.parquet';

const point = { list: 'DOUBLE' } as const;

/** The fields of `MeasuresRecord`. */
const measuresColumns = {
  version: 'INT32',
  spacing_mm: { list: 'DOUBLE' },
  calibration: 'STRING',
  parts: 'INT32',
  share: 'DOUBLE',
  area_mm2: 'DOUBLE',
  long_axis_mm: 'DOUBLE',
  short_axis_mm: 'DOUBLE',
  perimeter_mm: 'DOUBLE',
  ellipse: {
    fields: { axes_mm: { list: 'DOUBLE' }, circumference_mm: 'DOUBLE', residual_mm: 'DOUBLE', centre_px: point },
    optional: true,
  },
  depth: { fields: { nearest_mm: 'DOUBLE', centroid_mm: 'DOUBLE', from: 'STRING' }, optional: true },
  long_axis_px: { list: point },
  short_axis_px: { list: point },
  spread: {
    fields: {
      variants: 'INT32',
      lost: 'INT32',
      area_mm2: 'DOUBLE',
      long_axis_mm: 'DOUBLE',
      short_axis_mm: 'DOUBLE',
      perimeter_mm: 'DOUBLE',
    },
    optional: true,
  },
} as const satisfies Columns & Record<keyof MeasuresRecord, Column>;

const objectColumns = {
  image: 'STRING',
  file_name: 'STRING',
  image_width: 'INT32?',
  image_height: 'INT32?',
  phrase: 'STRING',
  phrase_id: 'INT32',
  score: 'DOUBLE',
  mask_score: 'DOUBLE?',
  left: 'DOUBLE',
  top: 'DOUBLE',
  width: 'DOUBLE',
  height: 'DOUBLE',
  area: 'DOUBLE',
  /** `counts` of COCO's compressed RLE; its size is that of the image. */
  rle: 'STRING?',
  measures: { fields: measuresColumns, optional: true },
  /** Why there are no measures. */
  unmeasured: 'STRING?',
} as const satisfies Columns;

const imageColumns = {
  image: 'STRING',
  file_name: 'STRING',
  width: 'INT32?',
  height: 'INT32?',
  objects: 'INT32',
  /** Of calibrated models, one a phrase. */
  verdicts: {
    list: {
      fields: {
        phrase: 'STRING',
        present: 'BOOLEAN',
        score: 'DOUBLE',
        threshold: 'DOUBLE',
        own_threshold: 'BOOLEAN',
        false_positive_rate: 'DOUBLE',
      },
    },
    optional: true,
  },
} as const satisfies Columns;

/** Writes {@link resultsTable} and {@link imagesTable}; only a group of rows is in memory at a time. */
export async function writeParquetTables(
  out: string,
  entries: Iterable<JournalEntry> | AsyncIterable<JournalEntry>,
): Promise<void> {
  await writeFileAtomic(join(out, resultsTable), (resultsFile) =>
    writeFileAtomic(join(out, imagesTable), async (imagesFile) => {
      const objects = await ParquetTable.begin(resultsFile, objectColumns);
      const images = await ParquetTable.begin(imagesFile, imageColumns);
      for await (const entry of entries) {
        for (const found of entry.results) await objects.add(objectRow(entry, found));
        await images.add(imageRow(entry));
      }
      await images.end();
      await objects.end();
    }),
  );
}

function objectRow({ id, width: imageWidth, height: imageHeight }: JournalEntry, found: FoundInImage) {
  const { file_name, category, category_id, bbox, score, mask_score, area, segmentation, measures, unmeasured } = found;
  const [left, top, width, height] = bbox;
  return {
    image: id,
    file_name,
    image_width: imageWidth,
    image_height: imageHeight,
    phrase: category,
    phrase_id: category_id,
    score,
    mask_score,
    left,
    top,
    width,
    height,
    area,
    rle: segmentation?.counts,
    measures,
    unmeasured,
  };
}

function imageRow({ id, fileName, width, height, results, verdicts }: JournalEntry) {
  return {
    image: id,
    file_name: fileName ?? results[0]?.file_name ?? id,
    width,
    height,
    objects: results.length,
    verdicts: verdicts?.map(({ file_name: _, ...verdict }) => verdict),
  };
}
