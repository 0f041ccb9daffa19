import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandModule } from 'yargs';
import { initBackend } from '../backend/index.js';
import { exists, loadConfig } from '../config/index.js';
import { type ExportSource, exportModel, type WeightType, weightTypes } from '../export/index.js';
import { type ExportForm, exportForms } from '../infer/index.js';
import { shippedModels } from '../pretrained/index.js';
import { runConfigSchema } from '../train/index.js';
import { UsageError } from '../util/index.js';
import { selectTrainedModels } from '../workflows/index.js';
import { consoleLogger } from './console-logger.js';
import type { GlobalOptions } from './options.js';

/** The page is a graph model plus the code to run it. */
const formats = [...exportForms, 'web-page'] as const;

type Format = ExportForm | 'web-page';

interface ExportCommandOptions extends GlobalOptions {
  run: string | undefined;
  detector: string | undefined;
  adapter: string | undefined;
  masker: string | undefined;
  maskerAdapter: string | undefined;
  to: string;
  format: Format;
  dtype: WeightType;
  imageSize: string | undefined;
  textLength: number | undefined;
  batch: string | undefined;
  points: number;
  overwrite: boolean;
}

export const exportCommand: CommandModule<GlobalOptions, ExportCommandOptions> = {
  command: 'export',
  describe: 'export a model for Python, TensorFlow or the browser',
  builder: (args) =>
    args
      .option('run', {
        type: 'string',
        describe: 'folder of a run, whose best weights are exported',
        conflicts: ['detector', 'adapter', 'masker-adapter'],
      })
      .option('detector', { alias: 'model', type: 'string', describe: 'folder of a detector; default: the shipped one' })
      .option('adapter', { type: 'string', describe: 'folder of a LoRA adapter for the detector' })
      .option('masker', { type: 'string', describe: "folder of a masker; default: the run's, else the shipped one" })
      .option('masker-adapter', { type: 'string', describe: 'folder of a LoRA adapter for the masker' })
      .option('to', { type: 'string', demandOption: true, describe: 'folder to write' })
      .option('format', {
        choices: formats,
        demandOption: true,
        describe: 'for transformers, PEFT, TensorFlow or TensorFlow.js, or a page that runs the model in the browser',
      })
      .option('dtype', { choices: weightTypes, default: 'float32' as const, describe: 'data type of the stored weights' })
      .option('image-size', { type: 'string', describe: 'SIDE or HEIGHTxWIDTH of the images that a graph takes' })
      .option('text-length', { type: 'number', describe: 'number of tokens to which prompts are padded in a graph' })
      .option('batch', { type: 'string', describe: "batch size of a graph's detector: a number, or any" })
      .option('points', { type: 'number', default: 4, describe: "points per prompt of a graph's masker" })
      .option('overwrite', { type: 'boolean', default: false, describe: 'replace an earlier export' })
      .example('$0 export --run runs/stu --to exported --format savedmodel', 'for TensorFlow in Python, Serving, Java, Go or C++')
      .example('$0 export --to site --format web-page', 'a static page that runs the shipped model in the browser')
      .example('$0 export --detector grounding-dino-tiny --to hf --format safetensors', 'for transformers') as never,
  handler: async ({
    run,
    detector,
    adapter,
    masker,
    maskerAdapter,
    to,
    format,
    dtype,
    imageSize,
    textLength,
    batch,
    points,
    overwrite,
    backend,
  }) => {
    const source = await sourceOf({ run, detector, adapter, masker, maskerAdapter });
    const options = {
      form: format === 'web-page' ? 'graph-model' : format,
      page: format === 'web-page',
      to,
      overwrite,
      dtype,
      imageSize: parseSize(imageSize),
      textLength: textLength === undefined ? undefined : whole('--text-length', textLength),
      batch: batch === undefined || batch === 'any' ? batch : whole('--batch', Number(batch)),
      points: whole('--points', points),
      say: (message: string) => consoleLogger.info(message),
    } as const;
    await initBackend(backend, consoleLogger);
    const { files } = await exportModel(source, options);
    const bytes = Object.values(files).reduce((sum, file) => sum + file.bytes, 0);
    consoleLogger.info(
      `${to}: ${Object.keys(files).length} files, ${(bytes / 1e6).toFixed(1)} MB, described in ${join(to, 'manifest.json')}`,
    );
    if (format === 'web-page')
      consoleLogger.info(`copy it to any web server, or try it here: python3 -m http.server -d ${to} 8000`);
  },
};

async function sourceOf(given: {
  run: string | undefined;
  detector: string | undefined;
  adapter: string | undefined;
  masker: string | undefined;
  maskerAdapter: string | undefined;
}): Promise<ExportSource> {
  const { run, detector, adapter, masker, maskerAdapter } = given;
  if (run !== undefined) return sourceOfRun(run, masker);
  return { detector: detector ?? shippedModels.detector, adapter, masker: masker ?? shippedModels.masker, maskerAdapter };
}

/** The best models of a run. */
async function sourceOfRun(run: string, masker: string | undefined): Promise<ExportSource> {
  const file = join(run, 'config.yaml');
  if (!(await exists(run)))
    throw new UsageError({ code: 'E_FILE_NOT_FOUND', where: run, what: 'there is no such folder', fix: NAME_A_RUN });
  if (!(await exists(file))) throw new UsageError({ code: 'E_RUN_UNUSABLE', where: run, what: 'it is not the folder of a run: there is no config.yaml in it', fix: NAME_A_RUN }); // biome-ignore format: short
  const best = join(run, 'best');
  if (!(await exists(best))) throw notTrained(run, await foldsOf(run));
  const config = await loadConfig(file, runConfigSchema, [], consoleLogger);
  if (config.task === 'masker' && masker !== undefined)
    throw new UsageError({
      code: 'E_OPTION_CONFLICT',
      where: '--masker',
      what: `${run} trained the masker itself`,
      fix: 'Leave --masker out',
    });
  const models = selectTrainedModels(config, best);
  return {
    run,
    detector: models.detector ?? shippedModels.detector,
    adapter: models.adapter,
    masker: masker ?? models.masker ?? shippedModels.masker,
    maskerAdapter: models.maskerAdapter,
  };
}

const NAME_A_RUN = 'Name the folder of a run that trained, as runs/NAME (of a cross-validation runs/NAME/fold-1)';

function notTrained(run: string, folds: readonly string[]): UsageError {
  if (folds.length === 0)
    return new UsageError({
      code: 'E_RUN_UNUSABLE',
      where: run,
      what: 'it has no weights yet: there is no folder best in it',
      fix: 'Train it first: `sonoground train --config FILE`',
    });
  return new UsageError({
    code: 'E_RUN_UNUSABLE',
    where: run,
    what: `it is a cross-validation, with a model for each of its ${folds.length} folds and none over all`,
    fix: `Name the fold to export: --run ${join(run, folds[0] as string)}`,
  });
}

async function foldsOf(run: string): Promise<string[]> {
  return (await readdir(run)).filter((name) => /^fold-\d+$/.test(name)).sort((a, b) => Number(a.slice(5)) - Number(b.slice(5)));
}

function parseSize(text: string | undefined): readonly [number, number] | undefined {
  if (text === undefined) return undefined;
  const [, height, width] = /^(\d+)(?:x(\d+))?$/.exec(text) ?? [];
  if (height === undefined)
    throw new UsageError({ code: 'E_OPTION_VALUE', where: '--image-size', what: `expected SIDE or HEIGHTxWIDTH, got ${text}` });
  return [whole('--image-size', Number(height)), whole('--image-size', Number(width ?? height))];
}

function whole(where: string, value: number): number {
  if (Number.isInteger(value) && value > 0) return value;
  throw new UsageError({ code: 'E_OPTION_VALUE', where, what: `expected an integer of at least 1, got ${value}` });
}
