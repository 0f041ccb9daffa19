import type { Argv } from 'yargs';
import type { Precision } from '../../backend/index.js';
import { type ResultsForm, resultsForms } from '../../infer/index.js';
import { methodNames } from '../../methods/index.js';
import { shippedModels } from '../../pretrained/index.js';
import { type Selection, selections } from '../../processing/index.js';
import { UsageError } from '../../util/index.js';
import type { ImageOptions } from '../images/gather-images.js';
import { type GlobalOptions, precisionOption } from '../options.js';
import { type DicomOptions, dicomOptions } from './dicom-options.js';
import { type DicomWebOptions, dicomwebOptions } from './dicomweb-options.js';
import { type ExemplarOptions, exemplarOptions } from './infer-exemplars.js';
import { type TrackOptions, trackOptions } from './infer-track.js';
import { type PixelSizeOptions, pixelSizeOptions } from './pixel-size-options.js';
import { type SpreadOptions, spreadOptions } from './spread-options.js';
import { volumeOption } from './volume-option.js';

/** The options of `infer`. */
export interface InferOptions
  extends GlobalOptions,
    TrackOptions,
    PixelSizeOptions,
    SpreadOptions,
    DicomOptions,
    DicomWebOptions,
    Omit<ExemplarOptions, 'exemplars'>,
    ImageOptions {
  prompt: string[] | undefined;
  exemplars: string | undefined;
  out: string;
  results: ResultsForm;
  masker: string | undefined;
  adapter: string | undefined;
  maskerAdapter: string | undefined;
  adapterScale: number | undefined;
  precision: Precision | undefined;
  method: string | undefined;
  weights: string | undefined;
  threshold: number | undefined;
  nms: number | undefined;
  select: Selection | undefined;
  onBad: 'stop' | 'skip';
  overwrite: boolean;
  shard: string | undefined;
  volume: string[] | undefined;
}

/** Selections by the names that they had. */
const FORMER_SELECTIONS: Readonly<Record<string, Selection>> = { best: 'best-per-phrase', 'best-overall': 'best-per-image' };

/** Describes the options of `infer`, with examples. */
export function withInferOptions(args: Argv<GlobalOptions>) {
  return (
    args
      .option('image', {
        type: 'string',
        array: true,
        describe: 'image files, folders (searched recursively), globs in quotes, or s3://bucket/folder/',
      })
      .option('list', {
        type: 'string',
        array: true,
        describe: 'lists of images: one file or s3://bucket/key a line, a table (.csv, .tsv), or - for standard input',
      })
      .option('column', {
        type: 'string',
        describe: 'column of the table with the images; default: the one called image, path, file_name or similar',
      })
      .option('prompt', {
        type: 'string',
        array: true,
        describe: 'phrases to look for, separated by dots; each further --prompt is run separately',
      })
      .options(exemplarOptions)
      .options(trackOptions)
      .option('out', {
        type: 'string',
        demandOption: true,
        describe: 'folder for results.json and images.json (COCO), overlays/ and masks/',
      })
      .option('results', {
        choices: resultsForms,
        default: 'files' as const,
        describe: 'files, or parquet: tables of all objects and images in place of JSON, overlays and masks',
      })
      .option('detector', {
        alias: 'model',
        type: 'string',
        describe: `folder of the detector, a run, an adapter or an export; or a downloaded model; for exemplars a UniverSeg; default: ${shippedModels.detector}`,
      })
      .option('masker', {
        type: 'string',
        describe: `folder of the masker, or none for boxes only; default: ${shippedModels.masker}, or that of the export`,
      })
      .option('adapter', { type: 'string', describe: 'folder of a LoRA adapter (a run: runs/NAME/best)' })
      .option('masker-adapter', { type: 'string', describe: 'folder of a LoRA adapter of the masker' })
      .option('adapter-scale', {
        type: 'number',
        describe: 'strength of the adapters: 0 off, 1 as trained; default: 1',
      })
      .option('precision', precisionOption)
      .option('method', {
        type: 'string',
        describe: `a method of the comparison: in place of the masker, given the detector's boxes or their centres, or of both, given the prompt or exemplars: ${methodNames.join(', ')}`,
      })
      .option('weights', {
        type: 'string',
        describe: 'weights of the method: a folder, a file or a downloaded model; of several models, separated by commas',
      })
      .option('threshold', { type: 'number', describe: 'lowest score at which a box counts, 0 to 1; default: 0.3' })
      .option('nms', {
        type: 'number',
        describe: 'overlap (IoU) above which the lower-scoring of two boxes of a phrase is dropped; default: 0.5',
      })
      .option('select', {
        choices: selections,
        describe: 'all boxes from the threshold on, the best of each phrase, or the best of the image; default: all',
      })
      // Before the choices are checked, whose message names all of them. An error from `coerce` would lose its class.
      .middleware(({ select }) => refuseFormer(select), true)
      .options(pixelSizeOptions)
      .option('volume', volumeOption)
      .options(spreadOptions)
      .options(dicomOptions)
      .options(dicomwebOptions)
      .option('on-bad', {
        choices: ['stop', 'skip'] as const,
        default: 'skip' as const,
        describe: 'what to do with an image that cannot be read',
      })
      .option('overwrite', {
        type: 'boolean',
        default: false,
        describe: 'process all images again; otherwise the same command resumes',
      })
      .option('shard', {
        type: 'string',
        describe:
          'process one shard of the images, for several machines: 0/4 is the first of four; writes OUT/shards/0-of-4, see merge',
      })
      .example('$0 infer --image examples/fetal-head-1.jpg --prompt "fetal head" --out out', 'an image shipped with sonoground')
      .example('$0 infer --image scan.png --prompt "benign lesion. cyst." --out out', 'one image, two phrases')
      .example(
        '$0 infer --image scans --prompt "thyroid nodule" --out out',
        'a folder; the same command resumes after an interruption',
      )
      .example(
        `$0 infer --image 'scans/**/*_B.png' --prompt lesion --select best-per-phrase --out out`,
        'a glob, one box per phrase',
      )
      .example(
        '$0 infer --image s3://archive/2026/ --prompt lesion --shard 0/8 --results parquet --out out',
        'an eighth of what a store holds, into tables',
      )
      .example('$0 infer --image scans --prompt "liver tumor" --detector runs/liver --out out', 'your own fine-tuned model')
      .example(
        '$0 infer --image scans --exemplars outlined --label nerve --model universeg --draws 5 --support 16 --out out',
        'no prompt: what looks like the outlined images, averaged over five draws of sixteen',
      )
      .example(
        '$0 infer --image scans --prompt "breast tumor" --method medclip-samv2 --weights biomedclip,sam-vit-huge --out out',
        'MedCLIP-SAMv2, which finds by itself what the prompt says',
      )
      .example(
        '$0 infer --image scans --prompt "thyroid nodule" --mm-per-pixel 0.08 --out out',
        'measures in millimetres for images whose files do not say how large a pixel is',
      )
      .example(
        '$0 infer --image scans --prompt "thyroid nodule" --dicom --keep-identity --out out',
        'DICOM SEG and SR for the archive that the images are from',
      )
      .example(
        '$0 infer --dicomweb https://archive.example.org/dicom-web --study 1.2.840.113619.2.1 --prompt "thyroid nodule" --out out',
        'a study of an archive: SEG and SR are stored with it',
      )
      .example('$0 infer --image loops --prompt "benign lesion" --track --out out', 'clips: what is found is followed')
      .example('$0 infer --image scans --prompt lesion --masker none --out out', 'boxes only')
      .example(
        '$0 infer --image scans --prompt lesion --method medsam --weights medsam_vit_b.pth --out out',
        'MedSAM for the masks',
      )
      .example(
        '$0 infer --image scans --prompt lesion --detector grounding-dino-tiny --masker sam2-hiera-tiny --adapter runs/us/best --out out',
        'downloaded models with an adapter',
      )
  );
}

/** @throws UsageError naming what a selection is called now. */
function refuseFormer(select: unknown): void {
  const now = Object.hasOwn(FORMER_SELECTIONS, String(select)) ? FORMER_SELECTIONS[String(select)] : undefined;
  if (now === undefined) return;
  throw new UsageError({
    code: 'E_OPTION_VALUE',
    where: `--select ${select}`,
    what: `it is called ${now} now`,
    fix: `Say --select ${now}`,
  });
}
