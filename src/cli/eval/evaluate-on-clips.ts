import { initBackend } from '../../backend/index.js';
import type { Split } from '../../data/index.js';
import { markdownTable } from '../../eval/index.js';
import { shippedModels } from '../../pretrained/index.js';
import { UsageError } from '../../util/index.js';
import { evaluateClips, openClipSets } from '../../workflows/index.js';
import { consoleLogger } from '../console-logger.js';
import { namedModels } from '../named-models.js';
import type { GlobalOptions } from '../options.js';
import { startProgress } from '../progress.js';
import type { ClipEvalOptions } from './clip-options.js';

/** Runs `eval --clips`, and prints the table and the names of the files. */
export async function evaluateOnClips({
  clips = [],
  clipCount = 6,
  clipFrames = 30,
  detector,
  masker,
  out = 'runs/clips',
  split,
  adapter,
  backend,
}: ClipEvalOptions & GlobalOptions & { split: Split; adapter: string | undefined }): Promise<void> {
  for (const [name, value, least] of [
    ['--clip-count', clipCount, 1],
    ['--clip-frames', clipFrames, 2],
  ] as const)
    if (!(Number.isInteger(value) && value >= least))
      throw new UsageError({ code: 'E_OPTION_VALUE', where: name, what: `expected a number from ${least}, got ${value}` });
  const sets = await openClipSets(clips, { split, clipCount, clipFrames });
  const running = await initBackend(backend, consoleLogger);
  const models = await namedModels({
    detector: detector ?? shippedModels.detector,
    masker,
    adapter,
    maskerAdapter: undefined,
    adapterScale: 1,
  });
  const progress = startProgress('frames');
  const { table, files } = await evaluateClips(sets, {
    models: { ...models, masker: models.masker ?? shippedModels.masker },
    about: { split, backend: running },
    out,
    logger: consoleLogger,
    onProgress: (done, total, note) => progress.update(done, total, note),
  }).finally(() => progress.stop());
  for (const line of markdownTable(table).trimEnd().split('\n')) consoleLogger.info(line);
  for (const name of files) consoleLogger.info(name);
}
