import type { CommandModule } from 'yargs';
import { initBackend } from '../backend/index.js';
import { loadConfig } from '../config/index.js';
import { runDemo } from '../eval/index.js';
import { runConfigSchema } from '../train/index.js';
import { consoleLogger } from './console-logger.js';
import { type GlobalOptions, setOption } from './options.js';
import { type Progress, startProgress } from './progress.js';
import { scoreLine } from './score-line.js';

interface DemoOptions extends GlobalOptions {
  set: string[];
}

const STAGES = { before: 'evaluating the shipped model', training: 'fine-tuning', after: 'evaluating the tuned model' } as const;

/** What the portable backends, which are many times slower, do instead of the whole schedule. */
const REDUCED = [
  'data.phantom.train=24',
  'data.phantom.val=4',
  'data.phantom.test=6',
  'train.epochs=2',
  'train.stepsPerEpoch=4',
  'train.batchSize=2',
];

export const demoCommand: CommandModule<GlobalOptions, DemoOptions> = {
  command: 'demo',
  describe: 'fine-tune the shipped model on generated images and show the difference',
  builder: (args) =>
    args.option('set', setOption).example('$0 demo', 'under 5 minutes on 2 cores; the report is runs/demo/report.html') as never,
  handler: async ({ set, backend }) => {
    const running = await initBackend(backend, consoleLogger, 'training');
    const reduced = running === 'tensorflow' ? [] : REDUCED;
    if (reduced.length > 0)
      consoleLogger.warn(`the ${running} backend is slow: the demo runs on a reduced schedule, and its figures mean little`);
    const config = await loadConfig('configs/demo.yaml', runConfigSchema, [...reduced, ...set]);
    let progress: { stage: keyof typeof STAGES; bar: Progress } | undefined;
    const result = await runDemo(config, {
      logger: consoleLogger,
      onProgress: (stage, done, total, note) => {
        if (progress?.stage !== stage) {
          progress?.bar.stop();
          progress = { stage, bar: startProgress(STAGES[stage]) };
        }
        progress.bar.update(done, total, note);
      },
    }).finally(() => progress?.bar.stop());
    for (const [phrase, after] of Object.entries(result.after.perStructure)) {
      consoleLogger.info(
        `  ${phrase}: DSC ${result.before.perStructure[phrase]?.dsc.toFixed(1) ?? '–'} % → ${after.dsc.toFixed(1)} %`,
      );
    }
    consoleLogger.info(`trivial guess: DSC ${result.trivial.dsc.toFixed(2)} %`);
    consoleLogger.info(scoreLine('before', result.before));
    consoleLogger.info(scoreLine('after', result.after));
    consoleLogger.info(`report: ${result.reportFile}`);
    consoleLogger.info(`metrics: ${result.metricsFile}`);
  },
};
