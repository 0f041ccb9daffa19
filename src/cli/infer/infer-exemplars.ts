import { join } from 'node:path';
import { initBackend } from '../../backend/index.js';
import { exists } from '../../config/index.js';
import { loadExemplars } from '../../data/index.js';
import { type BatchOptions, drawSupports, type ExemplarSettings, UniverSegPredictor } from '../../infer/index.js';
import { exemplarModel } from '../../pretrained/index.js';
import { UsageError } from '../../util/index.js';
import { consoleLogger } from '../console-logger.js';
import type { GlobalOptions } from '../options.js';

/** Exemplars taken by default: as many as UniverSeg was trained with. */
const SUPPORTS = 64;

/** The options of `infer` that exemplars take. */
export interface ExemplarOptions {
  exemplars: string;
  label: string | undefined;
  support: number | undefined;
  supportSeed: number | undefined;
  draws: number | undefined;
  detector: string | undefined;
}

/** The same as yargs describes them. */
export const exemplarOptions = {
  exemplars: {
    type: 'string',
    describe: 'folder of images/ and masks/ (or with COCO annotations) that show what to look for, instead of a prompt',
  },
  label: {
    type: 'string',
    describe: "name of what the exemplars show; default: their annotations' only phrase, or their folder's name",
  },
  support: { type: 'number', describe: `exemplars that each draw takes; default: all, at most ${SUPPORTS}` },
  'support-seed': { type: 'number', describe: 'seed of the draws of exemplars; default: 0' },
  draws: { type: 'number', describe: 'random draws of exemplars, whose masks are averaged; default: 1' },
} as const;

/**
 * Reads the exemplars of a batch.
 *
 * @param others - options for prompts, which exemplars do not take.
 * @throws UsageError when one of these is given too, or draws do not fit the exemplars; DataError when exemplars cannot be read.
 */
export async function batchByExemplars(
  { exemplars: dir, label, support, supportSeed: seed = 0, draws = 1, detector }: ExemplarOptions,
  others: Readonly<Record<string, unknown>>,
  backend: GlobalOptions['backend'],
): Promise<Pick<BatchOptions, 'loadExemplars'> & { readonly settings: ExemplarSettings }> {
  const given = Object.entries(others).find(([, value]) => value !== undefined);
  if (given !== undefined)
    throw new UsageError({
      code: 'E_OPTION_CONFLICT',
      where: `--${given[0]}`,
      what: 'it is for prompts: UniverSeg takes exemplars alone, with --label, --support, --support-seed, --draws and --model',
      fix: 'Leave it out, or leave out --exemplars',
    });
  const { images, masks, label: phrase, without, digest } = await loadExemplars(dir, { label, seed });
  if (without > 0) consoleLogger.info(`${dir}: ${without} images do not show "${phrase}" and are left out`);
  const supports = support ?? Math.min(images.length, SUPPORTS);
  drawSupports(images.length, { size: supports, draws, seed }); // before the backend starts
  consoleLogger.info(
    `"${phrase}" by ${supports} of ${images.length} exemplars${draws > 1 ? `, averaged over ${draws} draws` : ''}`,
  );
  return {
    settings: {
      prompts: [phrase],
      universeg: await namedUniverSeg(detector),
      exemplars: dir,
      exemplarsHash: digest,
      supports,
      draws,
      seed,
    },
    loadExemplars: async ({ universeg }) => {
      await initBackend(backend, consoleLogger);
      const predictor = await UniverSegPredictor.load(universeg);
      try {
        await predictor.setSupport(images, masks, { size: supports, draws, seed });
        return predictor;
      } catch (error) {
        predictor.dispose();
        throw error;
      }
    },
  };
}

/** The named UniverSeg, else the shipped one. */
async function namedUniverSeg(named: string | undefined): Promise<string> {
  return named === undefined ? exemplarModel : bestOf(named);
}

/** The UniverSeg of a server: the named one, else the shipped one; undefined for `none`. */
export async function universegToServe(named: string | undefined): Promise<string | undefined> {
  return named === 'none' ? undefined : namedUniverSeg(named);
}

/** The best weights of a run; any other name stays. */
async function bestOf(model: string): Promise<string> {
  const isRun = await exists(join(model, 'config.yaml'));
  return isRun ? join(model, 'best') : model;
}
