import { join } from 'node:path';
import type { CommandModule } from 'yargs';
import { initBackend } from '../backend/index.js';
import { loadConfig } from '../config/index.js';
import { type Ranks, runConfigSchema, TrainingStopped } from '../train/index.js';
import { runExperiment } from '../workflows/index.js';
import { consoleLogger } from './console-logger.js';
import { type GlobalOptions, setOption } from './options.js';
import { startProgress } from './progress.js';
import { scoreLine } from './score-line.js';
import { stopOnSignals } from './stop-on-signals.js';
import { withRanks } from './with-ranks.js';

interface TrainOptions extends GlobalOptions {
  config: string;
  set: string[];
  resume: boolean;
  allowChangedData: boolean;
}

export const trainCommand: CommandModule<GlobalOptions, TrainOptions> = {
  command: 'train',
  describe: 'fine-tune with LoRA and evaluate the result',
  builder: (args) =>
    args
      .option('config', {
        type: 'string',
        demandOption: true,
        describe: 'YAML file of the run: your own, or a shipped one such as configs/stu.yaml',
      })
      .option('set', setOption)
      .option('resume', { type: 'boolean', default: false, describe: "resume from the run folder's last checkpoint" })
      .option('allow-changed-data', {
        type: 'boolean',
        default: false,
        describe: 'with --resume: even if images, masks, annotations or the model have changed',
      })
      .example(
        '$0 train --config configs/fine-tune.yaml --set data.root=DIR data.prompt="liver tumor" run.dir=runs/liver',
        'your own images/ and masks/',
      )
      .example('$0 train --config configs/stu.yaml --set data.root=STU-Hospital', 'LoRA on 42 breast images')
      .example('$0 train --config configs/stu.yaml --set data.root=STU-Hospital eval.folds=5', 'with 5-fold cross-validation')
      .example('mpirun -n 4 npx sonoground train --config configs/us15.yaml', 'four processes, see docs/distributed.md') as never,
  handler: (options) => withRanks((ranks) => trainBy(ranks, options)),
};

async function trainBy(ranks: Ranks | undefined, { config: file, set, resume, allowChangedData, backend }: TrainOptions) {
  const config = await loadConfig(file, runConfigSchema, set, consoleLogger);
  await initBackend(backend, consoleLogger, 'training');
  let progress = startProgress('training');
  const stop = stopOnSignals('finishing this step and writing a checkpoint');
  const metrics = await runExperiment(config, {
    resume,
    allowChangedData,
    ranks,
    signal: stop.signal,
    logger: consoleLogger,
    onProgress: ({ step, totalSteps, loss, learningRate }) =>
      progress.update(step, totalSteps, `loss ${loss.toFixed(3)}, rate ${learningRate.toExponential(1)}`),
    onFold: (fold, of) => {
      progress.stop();
      progress = startProgress(`fold ${fold} of ${of}`);
    },
  })
    .catch((error) => {
      if (!(error instanceof TrainingStopped)) throw error;
      progress.stop();
      consoleLogger.info(error.message);
      process.exitCode = stop.exitCode();
      return undefined;
    })
    .finally(() => {
      progress.stop();
      stop.dispose();
    });
  if (metrics === undefined) return;
  consoleLogger.info(scoreLine('test', metrics.test));
  for (const [k, fold] of (metrics.folds ?? []).entries()) consoleLogger.info(scoreLine(`  fold ${k + 1}`, fold));
  consoleLogger.info(`metrics: ${join(config.run.dir, 'metrics.json')}`);
}
