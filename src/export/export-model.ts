import { join } from 'node:path';
import { tf } from '../backend/index.js';
import {
  type DetectorParts,
  type ExportForm,
  loadDetector,
  loadSam2Masker,
  MANIFEST,
  type Manifest,
  type ManifestCheck,
  type ManifestPart,
  type Runner,
  resolveModel,
  type Sam2Parts,
} from '../infer/index.js';
import { mergeLora } from '../lora/index.js';
import { UsageError, writeFileAtomic } from '../util/index.js';
import { detectorProgram } from './detector-program.js';
import type { WeightType } from './graph-model.js';
import { writeCompanions, writeHuggingFaceFolder } from './hugging-face-folder.js';
import { maskerPrograms } from './masker-program.js';
import { writePeftFolder } from './peft-folder.js';
import type { Program } from './program.js';
import { exportPrograms } from './record.js';
import { digestFolder, stageFolder } from './staging.js';
import { copyStaticPage } from './static-page.js';
import { verify } from './verify.js';
import { versions } from './versions.js';

/** The models that are exported. */
export interface ExportSource {
  /** The folder of a run, if they come from one. */
  readonly run?: string | undefined;
  readonly detector: string;
  readonly adapter?: string | undefined;
  readonly masker: string;
}

export interface ExportOptions {
  readonly form: ExportForm;
  /** The folder to write. */
  readonly to: string;
  /** Replace an earlier export. Default: false. */
  readonly overwrite?: boolean;
  /** Lay the page that runs a graph model in a browser beside it: the folder is for any web server. Default: false. */
  readonly page?: boolean;
  /** How weights are stored. Default: float32. */
  readonly dtype?: WeightType;
  /** Height and width of a graph's images. Default: what the detector's processor makes of a square image. */
  readonly imageSize?: readonly [height: number, width: number] | undefined;
  /** Tokens that a graph's prompts are padded to. Default: as many as the detector takes, at most 64. */
  readonly textLength?: number | undefined;
  /** Images of a call of a graph's detector. Default: any number in a SavedModel, 1 in a graph model. */
  readonly batch?: number | 'any' | undefined;
  /** Points of each prompt of a graph's masker. Default: 4. */
  readonly points?: number;
  /** Told what is being done and what was found, a line at a time. */
  readonly say?: (message: string) => void;
}

const TEXT_LENGTH = 64;
const POINTS = 4;

/**
 * Exports a detector and a masker for use elsewhere, and checks what was written against the models, on other images and
 * prompts than those that were recorded.
 *
 * @returns what the folder's manifest says.
 * @throws UsageError when the folder exists or an option does not fit the form.
 */
export async function exportModel(source: ExportSource, options: ExportOptions): Promise<Manifest> {
  check(source, options);
  let manifest: Manifest | undefined;
  await stageFolder(options.to, options.overwrite ?? false, async (dir) => {
    if (options.page === true) await copyStaticPage(dir);
    const parts = await writeParts(source, options, dir);
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
      },
      ...parts,
      files: await digestFolder(dir),
    };
    await writeFileAtomic(join(dir, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  });
  return manifest as unknown as Manifest;
}

function check({ adapter }: ExportSource, { form, page, dtype = 'float32', imageSize, textLength, batch }: ExportOptions): void {
  if (page === true && form !== 'graph-model')
    throw new UsageError({ where: `--format ${form}`, what: 'the page runs graph models', fix: 'Export with --format web-page' });
  if (form === 'peft' && adapter === undefined)
    throw new UsageError({
      where: '--format peft',
      what: 'there is no adapter to export',
      fix: 'Name one, or a run that trained one',
    });
  const graph = form === 'savedmodel' || form === 'graph-model';
  if (!graph && (imageSize !== undefined || textLength !== undefined || batch !== undefined))
    throw new UsageError({
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
    throw new UsageError({ where: '--dtype', what: `${form} takes ${allowed[form].join(' or ')}, not ${dtype}` });
}

async function writeParts(
  source: ExportSource,
  options: ExportOptions,
  dir: string,
): Promise<Pick<Manifest, 'detector' | 'masker'>> {
  const say = options.say ?? (() => {});
  if (options.form === 'peft') {
    say('the adapter of the detector');
    return { detector: await writeAdapter(source, dir, say), masker: null };
  }
  say(`the detector: ${source.detector}${source.adapter === undefined ? '' : ` with ${source.adapter}`}`);
  const detector = await loadDetector(source.detector, { adapter: source.adapter });
  let first: ManifestPart;
  try {
    mergeLora(detector.model);
    first = await writeDetector(detector, source, options, dir);
  } finally {
    detector.model.dispose();
  }
  say(`the masker: ${source.masker}`);
  const masker = await loadSam2Masker(source.masker);
  try {
    return { detector: first, masker: await writeMasker(masker, source, options, dir) };
  } finally {
    masker.model.dispose();
  }
}

async function writeDetector(
  parts: DetectorParts,
  source: ExportSource,
  { form, dtype = 'float32', imageSize, textLength, batch, say = () => {} }: ExportOptions,
  root: string,
): Promise<ManifestPart> {
  const { model, config, imageProcessor } = parts;
  const path = 'detector';
  const preprocessor = { image_processor_type: 'GroundingDinoImageProcessor', ...imageProcessor.config };
  const from = { path: await resolveModel(source.detector), preprocessor };
  const square = imageProcessor.targetSize({ width: 1024, height: 1024 });
  const [height, width] = imageSize ?? [square.height, square.width];
  const length = textLength ?? Math.min(TEXT_LENGTH, config.maxTextLen);
  if (length > config.maxTextLen)
    throw new UsageError({ where: '--text-length', what: `the detector takes ${config.maxTextLen} tokens, not ${length}` });
  const program = detectorProgram(parts, { height, width, textLength: length });
  const common = { path, type: 'grounding-dino', dtype };
  if (form === 'safetensors') {
    await writeHuggingFaceFolder(model, from, join(root, path), { half: dtype === 'float16' });
    const again = await loadDetector(join(root, path));
    const verification = await verifyAgain([program], [detectorProgram(again, { height, width, textLength: length })]);
    again.model.dispose();
    report(path, verification, say);
    return { ...common, signatures: {}, verification };
  }
  await writeCompanions(from, join(root, path));
  const graphForm = form as 'savedmodel' | 'graph-model';
  const sizes = { B: batch ?? (form === 'savedmodel' ? 'any' : 1) } as const;
  const recorded = await exportPrograms(model, [program], { root, path, form: graphForm, weightType: dtype, sizes, say });
  return { ...common, height, width, text_length: length, ...recorded };
}

async function writeMasker(
  parts: Sam2Parts,
  source: ExportSource,
  { form, dtype = 'float32', points = POINTS, say = () => {} }: ExportOptions,
  root: string,
): Promise<ManifestPart> {
  const path = 'masker';
  const { imageProcessor, config, model } = parts;
  const preprocessor = { image_processor_type: 'Sam2ImageProcessorFast', ...imageProcessor.config };
  const from = { path: await resolveModel(source.masker), preprocessor };
  const side = config.promptEncoder.imageSize;
  const programs = maskerPrograms(parts, { points });
  const common = { path, type: 'sam2', dtype };
  if (form === 'safetensors') {
    await writeHuggingFaceFolder(model, from, join(root, path), { half: dtype === 'float16' });
    const again = await loadSam2Masker(join(root, path));
    const verification = await verifyAgain(programs, maskerPrograms(again, { points }));
    again.model.dispose();
    report(path, verification, say);
    return { ...common, signatures: {}, verification };
  }
  await writeCompanions(from, join(root, path));
  const graphForm = form as 'savedmodel' | 'graph-model';
  const sizes = { N: 'any' } as const;
  const recorded = await exportPrograms(model, programs, { root, path, form: graphForm, weightType: dtype, sizes, say });
  return { ...common, height: side, width: side, points, ...recorded };
}

/** Compares the programs of a model with those of the model that was read back. */
async function verifyAgain(programs: readonly Program[], again: readonly Program[]): Promise<ManifestCheck[]> {
  const runner: Runner = {
    async run(signature, inputs) {
      const program = again.find((other) => other.signature === signature) as Program;
      return tf.tidy(() => program.run(inputs));
    },
    dispose: () => {},
  };
  const checks: ManifestCheck[] = [];
  for (const program of programs) checks.push(...(await verify(program, runner, [1])));
  return checks;
}

function report(path: string, checks: readonly ManifestCheck[], say: (message: string) => void): void {
  for (const { what, max_abs_error: error, max_abs_value: value } of checks)
    say(`${path}: ${what}: largest error ${error.toExponential(1)} of values up to ${value.toPrecision(3)}`);
}

/** The adapter as PEFT reads it. It is loaded again, to see that the model answers as before. */
async function writeAdapter(
  { detector, adapter }: ExportSource,
  root: string,
  say: (message: string) => void,
): Promise<ManifestPart> {
  const path = 'detector';
  const from = adapter as string;
  const original = await loadDetector(detector, { adapter: from });
  try {
    await writePeftFolder(from, join(root, path), detector);
    const again = await loadDetector(detector, { adapter: join(root, path) });
    const square = original.imageProcessor.targetSize({ width: 1024, height: 1024 });
    const shape = { ...square, textLength: Math.min(TEXT_LENGTH, original.config.maxTextLen) };
    const verification = await verifyAgain([detectorProgram(original, shape)], [detectorProgram(again, shape)]).finally(() =>
      again.model.dispose(),
    );
    report(path, verification, say);
    return { path, type: 'grounding-dino', dtype: 'float32', signatures: {}, verification };
  } finally {
    original.model.dispose();
  }
}
