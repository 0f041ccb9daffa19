/**
 * How the results of a batch are written: `files` are `results.json` and `images.json` in COCO's format with an overlay and mask
 * files for each image; `parquet` are the tables `results.parquet` and `images.parquet`, without a file for each image.
 */
export const resultsForms = ['files', 'parquet'] as const;

/** Files for each image and lists in COCO's format, or tables of Parquet alone. */
export type ResultsForm = (typeof resultsForms)[number];
