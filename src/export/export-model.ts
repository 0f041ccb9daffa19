import { join } from 'node:path';
import { ensureBackend } from '../backend/index.js';
import { type ExportForm, MANIFEST, type Manifest, type ManifestPart } from '../infer/index.js';
import { mergeLora } from '../lora/index.js';
import { loadDetector } from '../pretrained/index.js';
import { UsageError, writeFileAtomic } from '../util/index.js';
import type { WeightType } from './graph-model.js';
import { loadWholeMasker } from './load-whole-masker.js';
import { digestFolder, stageFolder } from './staging.js';
import { copyStaticPage } from './static-page.js';
import { versions } from './versions.js';
import { writeAdapters } from './write-adapters.js';
import { writeDetector } from './write-detector.js';
import { writeMasker } from './write-masker.js';

/** The models to export. */
export interface ExportSource {
  /** The folder of the run that they come from, if any. */
  readonly run?: string | undefined;
  readonly detector: string;
  /** A LoRA adapter of the detector. */
  readonly adapter?: string | undefined;
  /** A SAM 2 or a SAM. */
  readonly masker: string;
  /** A LoRA adapter of the masker. */
  readonly maskerAdapter?: string | undefined;
}

/** Options of an export. */
export interface ExportOptions {
  readonly form: ExportForm;
  /** Target folder. */
  readonly to: string;
  /** Replace an earlier export. Default: false. */
  readonly overwrite?: boolean;
  /** Add the page that runs a graph model in a browser, so that any web server can serve the folder. Default: false. */
  readonly page?: boolean;
  /** Storage type of the weights. Default: float32. */
  readonly dtype?: WeightType;
  /** Height and width of a graph's images. Default: the size that the detector's processor gives a square image. */
  readonly imageSize?: readonly [height: number, width: number] | undefined;
  /** Number of tokens that a graph's prompts are padded to. Default: the detector's maximum, at most 64. */
  readonly textLength?: number | undefined;
  /** Batch size of a graph's detector. Default: any in a SavedModel, 1 in a graph model. */
  readonly batch?: number | 'any' | undefined;
  /** Number of points per prompt of a graph's masker. Default: 4. */
  readonly points?: number;
  /** Called with one-line progress messages. */
  readonly say?: (message: string) => void;
}

/**
 * Exports a detector and a masker, and verifies the result against the models, on images and prompts other than the traced ones.
 * Initialises the fastest available backend, unless one was initialised before.
 *
 * @returns the folder's manifest.
 * @throws UsageError when the folder exists or an option does not fit the form.
 * @example
 * import { Sonoground } from 'sonoground';
 * import { exportModel } from 'sonoground/models';
 *
 * const source = { detector: 'weights/nano-grounding-dino', masker: 'weights/nano-sam2' }; // and adapter: 'runs/liver/best'
 * const { detector } = await exportModel(source, { form: 'safetensors', to: 'exported', say: console.log });
 * console.log(detector.verification.map(({ what, max_abs_error }) => `${what}: ${max_abs_error}`));
 * const sonoground = await Sonoground.fromPretrained('exported');
 * sonoground.dispose();
 */
export async function exportModel(source: ExportSource, options: ExportOptions): Promise<Manifest> {
  check(source, options);
  await ensureBackend();
  let manifest: Manifest | undefined;
  await stageFolder(options.to, options.overwrite ?? false, async (dir) => {
    if (options.page === true) await copyStaticPage(dir);
    const parts = await writeDataset(source, options, dir);
    manifest = {
      format: 'sonoground-export',
      version: 1,
      form: options.form,
      made_with: await versions(),
      source: {
        run: source.run ?? null,
        detector: source.detector,
        adapter: source.adapter ?? null,
        masker: source.masker,
        ...(source.maskerAdapter !== undefined && { masker_adapter: source.maskerAdapter }),
      },
      ...parts,
      files: await digestFolder(dir),
    };
    await writeFileAtomic(join(dir, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  });
  return manifest as unknown as Manifest;
}

function check(
  { adapter, maskerAdapter }: ExportSource,
  { form, page, dtype = 'float32', imageSize, textLength, batch }: ExportOptions,
): void {
  if (page === true && form !== 'graph-model')
    throw new UsageError({
      code: 'E_OPTION_CONFLICT',
      where: `--format ${form}`,
      what: 'the page runs graph models',
      fix: 'Export with --format web-page',
    });
  if (form === 'peft' && adapter === undefined)
    throw new UsageError({
      code: 'E_ADAPTER_NOT_FOUND',
      where: '--format peft',
      what: `there is no adapter ${maskerAdapter === undefined ? 'to export' : 'of the detector to export'}`,
      fix:
        maskerAdapter === undefined
          ? 'Name one, or a run that trained one'
          : `The masker's is in PEFT's format where it lies, ${maskerAdapter}; --format safetensors merges it`,
    });
  const graph = form === 'savedmodel' || form === 'graph-model';
  if (!graph && (imageSize !== undefined || textLength !== undefined || batch !== undefined))
    throw new UsageError({
      code: 'E_OPTION_CONFLICT',
      where: `--format ${form}`,
      what: 'image size, text length and batch are for graphs',
      fix: 'Leave them out',
    });
  const allowed = {
    safetensors: ['float32', 'float16'],
    peft: ['float32'],
    savedmodel: ['float32'],
    'graph-model': ['float32', 'float16', 'uint8'],
  };
  if (!allowed[form].includes(dtype))
    throw new UsageError({
      code: 'E_OPTION_CONFLICT',
      where: '--dtype',
      what: `${form} takes ${allowed[form].join(' or ')}, not ${dtype}`,
    });
}

async function writeDataset(
  source: ExportSource,
  options: ExportOptions,
  dir: string,
): Promise<Pick<Manifest, 'detector' | 'masker'>> {
  const say = options.say ?? (() => {});
  if (options.form === 'peft') return writeAdapters(source, dir, say);
  say(`detector: ${withAdapter(source.detector, source.adapter)}`);
  const detector = await loadDetector(source.detector, { adapter: source.adapter });
  let first: ManifestPart;
  try {
    mergeLora(detector.model);
    first = await writeDetector(detector, source, options, dir);
  } finally {
    detector.model.dispose();
  }
  say(`masker: ${withAdapter(source.masker, source.maskerAdapter)}`);
  const masker = await loadWholeMasker(source.masker, { adapter: source.maskerAdapter });
  try {
    mergeLora(masker.model);
    return { detector: first, masker: await writeMasker(masker, source.masker, options, dir) };
  } finally {
    masker.model.dispose();
  }
}

function withAdapter(model: string, adapter: string | undefined): string {
  return adapter === undefined ? model : `${model} with ${adapter}`;
}
