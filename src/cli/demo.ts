import type { CommandModule } from 'yargs';
import { initBackend } from '../backend/index.js';
import { loadConfig, packageFile } from '../config/index.js';
import { percentText } from '../eval/index.js';
import { type DemoResult, type DemoStage, demoSchema, runDemo } from '../workflows/index.js';
import { consoleLogger } from './console-logger.js';
import { type GlobalOptions, setOption } from './options.js';
import { type Progress, startProgress } from './progress.js';
import { scoreLine } from './score-line.js';

interface DemoOptions extends GlobalOptions {
  set: string[];
}

const STAGES: Readonly<Record<DemoStage, string>> = {
  before: 'evaluating the shipped models',
  detector: 'fine-tuning the detector',
  masker: 'fine-tuning the masker',
  after: 'evaluating the tuned models',
};

/** Reduced schedule for the portable backends, which are many times slower. */
const REDUCED = [
  'judged.most=6',
  ...['detector', 'masker'].flatMap((name) => [
    `${name}.train.epochs=2`,
    `${name}.train.stepsPerEpoch=4`,
    `${name}.train.batchSize=2`,
  ]),
];

export const demoCommand: CommandModule<GlobalOptions, DemoOptions> = {
  command: 'demo',
  describe: 'fine-tune the shipped models on real images of a new structure; report before and after',
  builder: (args) =>
    args
      .option('set', setOption)
      .example('$0 demo', 'under 5 minutes on 2 cores; the report is runs/demo/report.html')
      .example(
        '$0 demo --set run.seed=8 run.dir=runs/demo-8 masker.train.epochs=5',
        'another seed and a shorter training',
      ) as never,
  handler: async ({ set, backend }) => {
    const running = await initBackend(backend, consoleLogger, 'training');
    const reduced = running === 'tensorflow' ? [] : REDUCED;
    if (reduced.length > 0)
      consoleLogger.warn(
        `the ${running} backend is slow: the demo runs on a reduced schedule, and its figures are not meaningful`,
      );
    const config = await loadConfig(packageFile('configs/demo.yaml'), demoSchema, [...reduced, ...set], consoleLogger);
    let progress: { stage: DemoStage; bar: Progress } | undefined;
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
    tell(result);
  },
};

function tell({ before, after, constantMask, retained, learntFrom, reportFile, metricsFile }: DemoResult): void {
  const change = (from: number | null | undefined, to: number | null) => `DSC ${percentText(from)} → ${percentText(to)}`;
  for (const [phrase, score] of Object.entries(after.structures))
    consoleLogger.info(`  ${phrase}: ${change(before.structures[phrase]?.dsc, score.dsc)}`);
  const constant = percentText(constantMask.dsc, 2);
  consoleLogger.info(`constant-mask baseline, from ${learntFrom} training images: DSC ${constant}`);
  consoleLogger.info(scoreLine('before', before));
  consoleLogger.info(scoreLine('after', after));
  const sets = Object.entries(retained.after.datasets).map(
    ([name, score]) => `${name} ${change(retained.before.datasets[name]?.dsc, score.dsc)}`,
  );
  const { images, dsc } = retained.after.pooled;
  consoleLogger.info(
    `structures known before, on ${images} images: ${change(retained.before.pooled.dsc, dsc)} (${sets.join(', ')})`,
  );
  consoleLogger.info(`report: ${reportFile}`);
  consoleLogger.info(`metrics: ${metricsFile}`);
}
