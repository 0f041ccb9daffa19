import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandModule } from 'yargs';
import { initBackend, type Precision } from '../backend/index.js';
import { loadConfig, packageFile } from '../config/index.js';
import type { Split } from '../data/index.js';
import { between, type MethodSummary, meanStd, percentText, readWordings } from '../eval/index.js';
import { parseShard } from '../infer/index.js';
import { methodNames } from '../methods/index.js';
import { PromptTokenizer, respelt, splitPrompt } from '../prompts/index.js';
import { runConfigSchema } from '../train/index.js';
import { UsageError } from '../util/index.js';
import {
  answerShard,
  type EvaluateRunOptions,
  type EvaluateRunResult,
  evaluateRun,
  paperFigures,
  paperTables,
  type Stage,
} from '../workflows/index.js';
import { consoleLogger } from './console-logger.js';
import { type ClipEvalOptions, checkClipOptions, clipEvalOptions, evaluateClips } from './eval-clips.js';
import { methodRequests, type PointName, pointNames, pointsOf, refuseWithoutTaker, supportOf } from './method-options.js';
import { type GlobalOptions, precisionOf, precisionOption, setOption } from './options.js';
import { type Progress, startProgress } from './progress.js';
import { parseTolerance } from './tolerance.js';

interface EvalOptions extends GlobalOptions, ClipEvalOptions {
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

/** Default folder of runs, and the file that identifies one. */
const RUNS = 'runs';
const RUN_FILE = 'config.yaml';

export const evalCommand: CommandModule<GlobalOptions, EvalOptions> = {
  command: 'eval',
  describe: "DSC and IoU of a run or of the shipped models; the paper's tables and figures; an HTML report",
  builder: (args) =>
    args
      .option('config', {
        type: 'string',
        describe: 'YAML file of a run; default: the newest run, else the shipped models on examples/hc18',
      })
      .option('adapter', { type: 'string', describe: "folder of a LoRA adapter; default: the run's best weights" })
      .option('precision', precisionOption)
      .option('split', {
        choices: ['train', 'val', 'test'] as const,
        default: 'test' as const,
        describe: 'split to evaluate',
      })
      .option('prompt', { type: 'string', describe: "prompt for every image; default: the datasets' own names" })
      .option('predictions', {
        type: 'string',
        array: true,
        default: [],
        describe: 'masks of other methods: DIR or NAME=DIR, with DATASET/IMAGE.png or IMAGE.png',
      })
      .option('method', {
        type: 'string',
        array: true,
        default: [],
        describe: `methods to compare with: ${methodNames.join(', ')}`,
      })
      .option('weights', {
        type: 'string',
        array: true,
        default: [],
        describe:
          'weights of a method: METHOD=FOLDER, METHOD=FILE or METHOD=NAME of a downloaded model; of several models, METHOD=ONE,OTHER; METHOD=random for random ones, on ten images of each dataset',
      })
      .option('as-published', {
        type: 'boolean',
        default: false,
        describe: 'also run the published forms of methods, where they differ from those here, as rows of their own',
      })
      .option('support', {
        type: 'number',
        describe: 'exemplars for each structure, for methods that take them; default: 16',
      })
      .option('support-seed', { type: 'number', describe: 'seed of the draw of exemplars; default: 0' })
      .option('point', {
        choices: pointNames,
        array: true,
        describe:
          'how points are drawn from the ground truth, for methods that take them: the middle pixel of the mask, as SAMUS does, or random ones; default: fixed',
      })
      .option('point-seed', { type: 'number', array: true, describe: 'seeds of random points, a row each; default: 0' })
      .option('table', { type: 'number', array: true, default: [], describe: `tables of the paper: ${paperTables.join(', ')}` })
      .option('figure', {
        type: 'number',
        array: true,
        default: [],
        describe: `figures of the paper: ${paperFigures.join(', ')}`,
      })
      .option('prompts', {
        type: 'string',
        describe: 'wordings to compare: a YAML file, a comma-separated list, or default',
      })
      .option('negatives', {
        type: 'string',
        describe: 'structures that no image shows, separated by dots; each is prompted alone',
      })
      .option('calibrate', {
        type: 'number',
        describe: 'false-positive rate at which to set a threshold on the validation split, stored with the model',
      })
      .option('trust', {
        type: 'boolean',
        default: false,
        describe: 'also segment mirrored images, to predict the quality of each mask',
      })
      .option('medsam', { type: 'string', describe: 'folder of a MedSAM model, for --table 2' })
      .option('tolerance', {
        type: 'string',
        array: true,
        default: [],
        describe: 'tolerance of the NSD, with its unit: "2 mm", 0.1cm, 3px; default: 1 mm, 2 px',
      })
      .option('shard', {
        type: 'string',
        describe:
          'process one shard of the images, for several machines: 0/4 is the first of four; then run eval without it to report',
      })
      .options(clipEvalOptions)
      .option('set', setOption)
      .example('$0 eval', 'the newest run under runs/')
      .example('$0 eval --table 3 4 --predictions nnunet=masks/nnunet', "the paper's tables, including another method")
      .example(
        '$0 eval --table 3 --method medsam --weights medsam=medsam_vit_b.pth',
        'MedSAM with ground-truth boxes, and with those of our detector',
      )
      .example(
        '$0 eval --table 3 --method samus --weights samus=samus.pth --point fixed random --point-seed 0 1 2',
        'SAMUS with ground-truth points of four kinds, and with the centres of our detector’s boxes',
      )
      .example('$0 eval --clips phantoms data/cca --masker sam2.1-hiera-tiny', 'tracking by a memory and frame by frame')
      .example('$0 eval --negatives "prostate. kidney." --calibrate 0.05', 'a threshold for absent structures') as never,
  handler: async (argv) => {
    checkClipOptions(argv as unknown as Readonly<Record<string, unknown>>);
    if (argv.clips !== undefined) return evaluateClips(argv);
    const { config: file, set, backend } = argv;
    const asked = await checked(argv);
    const source = file ?? (await newestRun()) ?? packageFile('configs/examples.yaml');
    const config = await loadConfig(source, runConfigSchema, set, consoleLogger);
    const running = await initBackend(backend, consoleLogger);
    consoleLogger.info(`${source}: ${argv.split}`);
    const { onProgress, stop } = progressOfStages();
    if (argv.shard !== undefined) {
      const shard = parseShard(argv.shard);
      const images = await answerShard(config, { ...asked, backend: running, onProgress }, shard).finally(stop);
      consoleLogger.info(
        `${images} images predicted, stored in ${config.run.dir}; run eval without --shard once all shards are done`,
      );
      return;
    }
    const result = await evaluateRun(config, { ...asked, backend: running, onProgress }).finally(stop);
    tell(result);
  },
};

/** Validates the options; errors name the option. */
async function checked(argv: EvalOptions): Promise<Omit<EvaluateRunOptions, 'backend'>> {
  const { calibrate } = argv;
  if (calibrate !== undefined && !(calibrate >= 0 && calibrate < 1))
    throw new UsageError({
      code: 'E_OPTION_VALUE',
      where: '--calibrate',
      what: `${calibrate} is not a rate`,
      fix: 'Give a share from 0 to 1, as in 0.05',
    });
  if (calibrate !== undefined && precisionOf(argv.precision) !== undefined)
    throw new UsageError({
      code: 'E_OPTION_CONFLICT',
      where: '--calibrate',
      what: `the threshold is stored with the model for float32, and scores in ${argv.precision} differ`,
      fix: 'Leave --precision out',
    });
  refuseWithoutTaker(argv.method, 'point', { point: argv.point, 'point-seed': argv.pointSeed });
  refuseWithoutTaker(argv.method, 'exemplars', { support: argv.support, 'support-seed': argv.supportSeed });
  return {
    split: argv.split,
    adapter: argv.adapter,
    precision: precisionOf(argv.precision),
    prompt: argv.prompt === undefined ? undefined : phrases('--prompt', argv.prompt),
    predictions: argv.predictions,
    methods: methodRequests(argv),
    support: supportOf(argv),
    points: pointsOf(argv),
    tables: numbers('--table', argv.table, paperTables),
    figures: numbers('--figure', argv.figure, paperFigures),
    wordings: argv.prompts === undefined ? undefined : await readWordings(argv.prompts),
    negatives: argv.negatives === undefined ? [] : phrases('--negatives', argv.negatives),
    calibrate,
    trust: argv.trust,
    medsam: argv.medsam,
    tolerance: await parseTolerance('--tolerance', argv.tolerance),
  };
}

function phrases(where: string, text: string): readonly string[] {
  if (text.replace(/[.\s]/g, '') === '')
    throw new UsageError({
      code: 'E_PROMPT_TEXT',
      where,
      what: 'it names nothing',
      fix: 'Separate phrases by dots: "benign lesion. cyst."',
    });
  for (const line of respelt(splitPrompt(text))) consoleLogger.info(line);
  return PromptTokenizer.parsePrompt(text);
}

function numbers<T extends number>(where: string, values: readonly number[], known: readonly T[]): T[] {
  return values.map((value) => {
    const found = known.find((one) => one === value);
    if (found === undefined)
      throw new UsageError({
        code: 'E_OPTION_VALUE',
        where,
        what: `there is no ${value} to make`,
        fix: `Choose from ${known.join(', ')}`,
      });
    return found;
  });
}

const STAGES: Readonly<Record<Stage, string>> = {
  reading: 'reading',
  images: 'images',
  calibration: 'calibration',
  timing: 'methods timed',
  gallery: 'page',
};

/** A progress bar per stage. */
function progressOfStages(): { onProgress: NonNullable<EvaluateRunOptions['onProgress']>; stop: () => void } {
  let current: { stage: Stage; bar: Progress } | undefined;
  return {
    onProgress: (stage, done, total) => {
      if (current?.stage !== stage) {
        current?.bar.stop();
        current = { stage, bar: startProgress(STAGES[stage]) };
      }
      current.bar.update(done, total);
    },
    stop: () => current?.bar.stop(),
  };
}

function tell({ summaries, comparisons, constantMask, warnings, calibration, files }: EvaluateRunResult): void {
  for (const summary of summaries) tellMethod(summary, summaries.length > 1);
  // Of many methods, pairs without ours are too many to read here.
  const withOurs = comparisons.filter(({ methods }) => methods[0] === summaries[0]?.method);
  for (const { protocol, dataset, methods, difference, interval, wilcoxon } of withOurs) {
    const range = between(interval);
    consoleLogger.info(
      `${protocol}, ${dataset}: ${methods[0]} − ${methods[1]} = ${difference.toFixed(2)}${range === null ? '' : ` (95 % ${range})`}, Wilcoxon p = ${wilcoxon.holm.toPrecision(2)} after Holm`,
    );
  }
  const others = comparisons.length - withOurs.length;
  if (others > 0) consoleLogger.info(`${others} comparisons of other methods with one another: in the table comparison`);
  consoleLogger.info(
    `constant-mask baseline: ${constantMask.dsc === null ? 'none, as no training image shows anything' : `DSC ${percentText(constantMask.dsc, 2)}`}`,
  );
  if (calibration !== undefined) {
    const { threshold, absent, falsePositiveRate, detectionRate } = calibration;
    consoleLogger.info(
      `threshold for presence ${threshold.toFixed(4)}: ${percentText(100 * falsePositiveRate)} of ${absent} absent structures pass, ${detectionRate === null ? 'no present one was available' : `${percentText(100 * detectionRate)} of the present ones`}`,
    );
  }
  for (const warning of warnings) consoleLogger.warn(warning);
  const main = files.filter((name) => /(metrics[^/]*\.json|per-image[^/]*\.csv|\.html|\.png|calibration\.json)$/.test(name));
  for (const name of main) consoleLogger.info(name);
  const table = files.find((name) => name.endsWith('.md'));
  if (table !== undefined) consoleLogger.info(`tables: ${join(table, '..')}`);
}

function tellMethod({ method, strict, paper, untrained }: MethodSummary, several: boolean): void {
  const names = Object.keys(strict.datasets);
  if (untrained !== undefined) {
    const counts = names.map((name) => `${untrained[name] ?? 0} of ${name}`).join(', ');
    consoleLogger.info(`${method}: random weights, never averaged; images: ${counts}`);
    return;
  }
  const line = (name: string, s: MethodSummary['strict']['pooled'], p: MethodSummary['paper']['pooled']) =>
    consoleLogger.info(
      `${several ? `${method}, ` : ''}${name}: strict DSC ${meanStd(s.dsc, s.std) ?? '–'} %, IoU ${percentText(s.iou, 2)}, ${s.falseNegatives} false negatives in ${s.n}; paper DSC ${meanStd(p.dsc, p.std) ?? '–'} % over ${p.n}`,
    );
  for (const name of names) {
    const [s, p] = [strict.datasets[name], paper.datasets[name]];
    if (s !== undefined && p !== undefined) line(name, s, p);
  }
  if (names.length > 1) {
    consoleLogger.info(
      `${several ? `${method}, ` : ''}mean of datasets: strict DSC ${percentText(strict.overall.dsc, 2)}, paper DSC ${percentText(paper.overall.dsc, 2)}`,
    );
    line('all images', strict.pooled, paper.pooled);
  }
}

/** The configuration of the most recent run. */
async function newestRun(): Promise<string | undefined> {
  const names = await readdir(RUNS).catch(() => []);
  const files = await Promise.all(
    names.map(async (name) => {
      const path = join(RUNS, name, RUN_FILE);
      const info = await stat(path).catch(() => undefined);
      return info === undefined ? [] : [{ path, time: info.mtimeMs }];
    }),
  );
  return files.flat().sort((a, b) => b.time - a.time)[0]?.path;
}
