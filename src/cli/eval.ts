import type { CommandModule } from 'yargs';
import { initBackend } from '../backend/index.js';
import { loadConfig, packageFile } from '../config/index.js';
import { parseShard } from '../infer/index.js';
import { runConfigSchema } from '../train/index.js';
import { counted } from '../util/index.js';
import { answerShard, evaluateRun, newestRun } from '../workflows/index.js';
import { consoleLogger } from './console-logger.js';
import { checkClipOptions } from './eval/clip-options.js';
import { type EvalOptions, evalOptions } from './eval/eval-options.js';
import { evalSettings } from './eval/eval-settings.js';
import { evaluateOnClips } from './eval/evaluate-on-clips.js';
import { printEvaluation } from './eval/print-evaluation.js';
import { startStageProgress } from './eval/stage-progress.js';
import type { GlobalOptions } from './options.js';

export const evalCommand: CommandModule<GlobalOptions, EvalOptions> = {
  command: 'eval',
  describe: "DSC and IoU of a run or of the shipped models; the paper's tables and figures; an HTML report",
  builder: (args) =>
    args
      .options(evalOptions)
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
    if (argv.clips !== undefined) return evaluateOnClips(argv);
    const { config: file, set, backend } = argv;
    const asked = await evalSettings(argv);
    const source = file ?? (await newestRun()) ?? packageFile('configs/examples.yaml');
    const config = await loadConfig(source, runConfigSchema, set, consoleLogger);
    const running = await initBackend(backend, consoleLogger);
    consoleLogger.info(`${source}: ${argv.split}`);
    const { onProgress, stop } = startStageProgress();
    if (argv.shard !== undefined) {
      const shard = parseShard(argv.shard);
      const images = await answerShard(config, { ...asked, backend: running, onProgress }, shard).finally(stop);
      consoleLogger.info(
        `${counted(images, 'image')} predicted, stored in ${config.run.dir}; run eval without --shard once all shards are done`,
      );
      return;
    }
    const result = await evaluateRun(config, { ...asked, backend: running, onProgress }).finally(stop);
    printEvaluation(result);
  },
};
