import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { biomedClipConfigFromShapes, biomedClipHuggingFaceKeys, biomedClipOpenClipKeys } from '../models/biomed-clip/index.js';
import { biomedParseAuthorsKeys, biomedParseConfigFromShapes } from '../models/biomed-parse/index.js';
import type { CheckpointShapes } from '../models/common/index.js';
import { groundingDinoAuthorsKeys, groundingDinoConfigFromShapes } from '../models/grounding-dino/index.js';
import { samAuthorsKeys, samConfigFromShapes } from '../models/sam/index.js';
import { sam2AuthorsKeys, sam2ConfigFromShapes } from '../models/sam2/index.js';
import { samusAuthorsKeys, samusConfigFromShapes } from '../models/samus/index.js';
import { universegAuthorsKeys, universegConfigFromShapes } from '../models/universeg/index.js';
import { CheckpointError, type ErrorCode, SonogroundError, shown, shownName } from '../util/index.js';
import { type KeyNaming, modelFolder, namingOf, openWeights, readJson, underOurKeys, weightFile } from '../weights/index.js';

/** Readers for checkpoints in the authors' naming, which have no `config.json`; it is derived from their shapes. */
const AUTHORS: readonly {
  readonly naming: KeyNaming;
  readonly configOf: (shapes: CheckpointShapes, fileName: string) => Record<string, unknown>;
}[] = [
  { naming: groundingDinoAuthorsKeys, configOf: groundingDinoConfigFromShapes },
  { naming: sam2AuthorsKeys, configOf: sam2ConfigFromShapes },
  // Before SAM's, whose keys it contains.
  { naming: samusAuthorsKeys, configOf: samusConfigFromShapes },
  { naming: samAuthorsKeys, configOf: samConfigFromShapes },
  { naming: universegAuthorsKeys, configOf: universegConfigFromShapes },
  { naming: biomedParseAuthorsKeys, configOf: biomedParseConfigFromShapes },
  { naming: biomedClipOpenClipKeys, configOf: (shapes) => biomedClipConfigFromShapes(shapes, 'openClip') },
  { naming: biomedClipHuggingFaceKeys, configOf: (shapes) => biomedClipConfigFromShapes(shapes, 'huggingFace') },
];

/** Failures of opening weights beside which a missing `config.json` is the clearer error. */
const NO_WEIGHTS: readonly ErrorCode[] = ['E_FILE_NOT_FOUND', 'E_MODEL_INCOMPLETE', 'E_WEIGHTS_AMBIGUOUS'];

/**
 * Reads `config.json` in a model directory, or beside a weight file, with the parser for its `model_type`. For checkpoints in the
 * authors' naming, which have none, it is derived from the shapes of the weights.
 *
 * @throws CheckpointError naming the file when it is missing, of another type, or does not describe such a model.
 */
export async function readModelConfig<C>(path: string, readers: Readonly<Record<string, (json: unknown) => C>>): Promise<C> {
  const folder = await modelFolder(path);
  const file = join(folder, 'config.json');
  const derived = await derivedConfig(path);
  const json = derived ?? (await readJson(file, 'Name the folder of a model, with its config.json'));
  const where = derived === undefined ? file : path;
  const type = (json as { model_type?: unknown } | null)?.model_type;
  const read = typeof type === 'string' && Object.hasOwn(readers, type) ? readers[type] : undefined;
  if (read === undefined)
    throw new CheckpointError({
      code: 'E_MODEL_TYPE',
      where,
      what: `expected model_type ${Object.keys(readers).join(' or ')}, got ${typeof type === 'string' ? shownName(type) : shown(type)}`,
      fix: 'Name the folder of such a model',
    });
  try {
    return read(json);
  } catch (cause) {
    const fix = derived === undefined ? 'Copy or download it again' : 'Put its config.json beside it';
    throw new CheckpointError({ code: 'E_MODEL_CONFIG', where, what: complaint(cause), fix, cause });
  }
}

/** The derived `config.json` of a model that has none; undefined if it has one, or nothing can be derived. */
export async function derivedConfig(path: string): Promise<unknown> {
  const file = join(await modelFolder(path), 'config.json');
  const present = (await stat(file).catch(() => undefined)) !== undefined;
  return present ? undefined : configOfAuthors(path);
}

/** The configuration derived from a checkpoint in an authors' naming; undefined if it is not one. */
async function configOfAuthors(path: string): Promise<unknown> {
  const weights = await openWeights(path).catch((error: unknown) => {
    if (error instanceof CheckpointError && NO_WEIGHTS.includes(error.code)) return undefined;
    throw error;
  });
  if (weights === undefined) return undefined;
  try {
    const naming = namingOf(
      weights,
      AUTHORS.map((form) => form.naming),
    );
    const form = AUTHORS.find((one) => one.naming === naming);
    if (form === undefined && (await stat(path)).isFile()) throw foreignKeys(path, [...weights.tensors.keys()]);
    return form?.configOf(underOurKeys(weights, [form.naming]).tensors, basename(await weightFile(path)));
  } finally {
    await weights.close();
  }
}

/** Weights that were named as a file, and are of no model that is known by its keys. */
function foreignKeys(path: string, keys: readonly string[]): CheckpointError {
  const some = keys.slice(0, 3).map(shownName).join(', ');
  return new CheckpointError({
    code: 'E_MODEL_TYPE',
    where: path,
    what: `there is no config.json beside it, and its ${keys.length} keys (${some}${keys.length > 3 ? ', …' : ''}) are of no model that is known without one`,
    fix: 'Put its config.json beside it, or name the weights of such a model',
  });
}

/** A parser's message about a field, without its location. */
function complaint(cause: unknown): string {
  if (cause instanceof SonogroundError) return cause.what.replaceAll('Invalid input: ', '');
  if (!(cause instanceof z.ZodError)) throw cause;
  return cause.issues
    .map(({ path, message }) => `${shownName(path.join('.'))}: ${message.replace(/^Invalid input: /, '')}`)
    .join('; ');
}
