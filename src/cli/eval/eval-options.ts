import type { Options } from 'yargs';
import type { Precision } from '../../backend/index.js';
import type { Split } from '../../data/index.js';
import { methodNames } from '../../methods/index.js';
import { paperFigures, paperTables } from '../../workflows/index.js';
import { type GlobalOptions, precisionOption, setOption } from '../options.js';
import { type ClipEvalOptions, clipEvalOptions } from './clip-options.js';
import { type PointName, pointNames } from './method-options.js';

/** The options of `eval`. */
export interface EvalOptions extends GlobalOptions, ClipEvalOptions {
  config: string | undefined;
  adapter: string | undefined;
  precision: Precision | undefined;
  split: Split;
  prompt: string | undefined;
  predictions: string[];
  method: string[];
  weights: string[];
  asPublished: boolean;
  support: number | undefined;
  supportSeed: number | undefined;
  point: PointName[] | undefined;
  pointSeed: number[] | undefined;
  table: number[];
  figure: number[];
  prompts: string | undefined;
  negatives: string | undefined;
  calibrate: number | undefined;
  trust: boolean;
  medsam: string | undefined;
  tolerance: string[];
  shard: string | undefined;
  set: string[];
}

/** The same as yargs describes them. */
export const evalOptions: Readonly<Record<string, Options>> = {
  config: {
    type: 'string',
    describe: 'YAML file of a run; default: the newest run, else the shipped models on examples/hc18',
  },
  adapter: { type: 'string', describe: "folder of a LoRA adapter; default: the run's best weights" },
  precision: precisionOption,
  split: {
    choices: ['train', 'val', 'test'] as const,
    default: 'test' as const,
    describe: 'split to evaluate',
  },
  prompt: { type: 'string', describe: "prompt for every image; default: the datasets' own names" },
  predictions: {
    type: 'string',
    array: true,
    default: [],
    describe: 'masks of other methods: DIR or NAME=DIR, with DATASET/IMAGE.png or IMAGE.png',
  },
  method: {
    type: 'string',
    array: true,
    default: [],
    describe: `methods to compare with: ${methodNames.join(', ')}`,
  },
  weights: {
    type: 'string',
    array: true,
    default: [],
    describe:
      'weights of a method: METHOD=FOLDER, METHOD=FILE or METHOD=NAME of a downloaded model; of several models, METHOD=ONE,OTHER; METHOD=random for random ones, on ten images of each dataset',
  },
  'as-published': {
    type: 'boolean',
    default: false,
    describe: 'also run the published forms of methods, where they differ from those here, as rows of their own',
  },
  support: { type: 'number', describe: 'exemplars for each structure, for methods that take them; default: 16' },
  'support-seed': { type: 'number', describe: 'seed of the draw of exemplars; default: 0' },
  point: {
    choices: pointNames,
    array: true,
    describe:
      'how points are drawn from the ground truth, for methods that take them: the middle pixel of the mask, as SAMUS does, or random ones; default: fixed',
  },
  'point-seed': { type: 'number', array: true, describe: 'seeds of random points, a row each; default: 0' },
  table: { type: 'number', array: true, default: [], describe: `tables of the paper: ${paperTables.join(', ')}` },
  figure: {
    type: 'number',
    array: true,
    default: [],
    describe: `figures of the paper: ${paperFigures.join(', ')}`,
  },
  prompts: {
    type: 'string',
    describe: 'wordings to compare: a YAML file, a comma-separated list, or default',
  },
  negatives: {
    type: 'string',
    describe: 'structures that no image shows, separated by dots; each is prompted alone',
  },
  calibrate: {
    type: 'number',
    describe: 'false-positive rate at which to set a threshold on the validation split, stored with the model',
  },
  trust: {
    type: 'boolean',
    default: false,
    describe: 'also segment mirrored images, to predict the quality of each mask',
  },
  medsam: { type: 'string', describe: 'folder of a MedSAM model, for --table 2' },
  tolerance: {
    type: 'string',
    array: true,
    default: [],
    describe: 'tolerance of the NSD, with its unit: "2 mm", 0.1cm, 3px; default: 1 mm, 2 px',
  },
  shard: {
    type: 'string',
    describe:
      'process one shard of the images, for several machines: 0/4 is the first of four; then run eval without it to report',
  },
  ...clipEvalOptions,
  set: setOption,
};
