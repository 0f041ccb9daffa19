import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandModule } from 'yargs';
import { initBackend } from '../backend/index.js';
import { loadConfig } from '../config/index.js';
import { evaluateModels, modelsOf, summarise, trivialGuess } from '../eval/index.js';
import type { LoadOptions } from '../infer/index.js';
import { openData, type RunConfig, runConfigSchema } from '../train/index.js';
import { writeFileAtomic } from '../util/index.js';
import { consoleLogger } from './console-logger.js';
import { type GlobalOptions, setOption } from './options.js';
import { startProgress } from './progress.js';
import { scoreLine } from './score-line.js';

interface EvalOptions extends GlobalOptions {
  config: string | undefined;
  adapter: string | undefined;
  split: 'train' | 'val' | 'test';
  set: string[];
}

/** Where runs are kept, and the file that each of them leaves. */
const RUNS = 'runs';
const RUN_FILE = 'config.yaml';

export const evalCommand: CommandModule<GlobalOptions, EvalOptions> = {
  command: 'eval',
  describe: 'DSC and IoU of a run, or of the shipped model',
  builder: (args) =>
    args
      .option('config', { type: 'string', describe: "a run's YAML; default: the newest run, else the shipped model on phantoms" })
      .option('adapter', { type: 'string', describe: "folder of a LoRA adapter; default: the run's best" })
      .option('split', {
        choices: ['train', 'val', 'test'] as const,
        default: 'test' as const,
        describe: 'which part of the data',
      })
      .option('set', setOption)
      .example('$0 eval', 'the newest run under runs/')
      .example(
        '$0 eval --config configs/stu.yaml --set data.root=STU-Hospital --split val',
        'a named run on its validation part',
      ) as never,
  handler: async ({ config: file, adapter, split, set, backend }) => {
    const source = file ?? (await newestRun()) ?? 'configs/phantom.yaml';
    const config = await loadConfig(source, runConfigSchema, set);
    await initBackend(backend, consoleLogger);
    const data = await openData(config.data, config.run.seed);
    const models = adapter === undefined ? await trained(config) : { ...config.model, adapter };
    consoleLogger.info(`${source}: ${data[split].size} images of ${split}, ${adapter ?? describe(models)}`);
    const progress = startProgress('images');
    const evaluation = await evaluateModels(models, data[split], config, (_sample, _segments, done) =>
      progress.update(done, data[split].size),
    ).finally(() => progress.stop());
    const summary = summarise(evaluation);
    const trivial = await trivialGuess(data.train, data[split]);
    for (const [phrase, score] of Object.entries(summary.perStructure)) consoleLogger.info(scoreLine(`  ${phrase}`, score));
    consoleLogger.info(scoreLine(split, summary));
    consoleLogger.info(
      `trivial guess: DSC ${trivial.dsc.toFixed(2)} %; masks from true boxes: DSC ${summary.dscGivenTrueBox.toFixed(2)} %`,
    );
    const target = join(config.run.dir, `eval-${split}.json`);
    await writeFileAtomic(target, `${JSON.stringify({ ...summary, trivial, rows: evaluation.rows }, null, 2)}\n`);
    consoleLogger.info(`metrics: ${target}`);
  },
};

/** The configuration that the newest run left behind. */
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

/** The run's best weights if it has any, else the models that it would start from. */
async function trained(config: RunConfig) {
  const best = join(config.run.dir, 'best');
  const done = await stat(best).then(
    () => true,
    () => false,
  );
  return done ? modelsOf(config, best) : { detector: config.model.detector, masker: config.model.masker };
}

function describe({ detector, masker, adapter }: LoadOptions): string {
  return [detector, adapter, masker].filter((part) => part !== undefined).join(' + ');
}
