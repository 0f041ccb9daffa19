import { tf } from '../../backend/index.js';
import type { BoxXyxy, Size } from '../../imaging/index.js';
import { scaleBoxes } from '../../processing/index.js';
import { UsageError } from '../../util/index.js';
import { scalePoints } from '../image-predictor.js';
import type { MaskPrompts } from '../mask-prompts.js';
import type { ManifestPart } from './manifest.js';

/** One call of an exported decoder. */
export interface ExportedPrompts {
  readonly signature: string;
  /** Number of actual prompts; a graph with a fixed number is fed more. */
  readonly count: number;
  /** Disposed by the caller. */
  readonly inputs: Readonly<Record<string, tf.Tensor>>;
  /** [1, 4h, 4w, 1] f32: an earlier mask to refine; disposed by the caller. */
  readonly earlier: tf.Tensor4D | undefined;
}

/** Prompts per call of a graph without a fixed number; bounds memory. */
const AT_ONCE = 16;

/** Label of padding points, as in transformers. */
const PADDING = -10;

/**
 * Converts validated prompts into successive calls of an exported decoder.
 *
 * @throws UsageError for prompts that the graph has no signature for.
 */
export function* exportedPrompts(
  prompts: MaskPrompts,
  count: number,
  { signatures, points: most = 0 }: ManifestPart,
  { image, placed }: { readonly image: Size; readonly placed: Size },
): Generator<ExportedPrompts> {
  const signature = signatureFor(prompts);
  const found = signatures[signature];
  if (found === undefined || (prompts.masks !== undefined && signatures['embed_masks'] === undefined))
    throw new UsageError({
      code: 'E_EXPORT_CANNOT',
      where: 'prompts',
      what: `this exported masker has no signature ${found === undefined ? signature : 'embed_masks'}`,
      fix: 'Export the model again, with this version',
    });
  const longest = Math.max(0, ...(prompts.points ?? []).map(({ length }) => length));
  if (longest > most)
    throw new UsageError({
      code: 'E_EXPORT_CANNOT',
      where: 'points',
      what: `the masker was exported for ${most} points of a prompt, not ${longest}`,
      fix: `Export it with --points ${longest}`,
    });
  const fixed = fixedCount(found.inputs);
  // An earlier mask applies to a whole image, so prompts with masks are called one by one.
  const step = prompts.masks === undefined ? (fixed ?? AT_ONCE) : 1;
  for (let from = 0; from < count; from += step) {
    const size = Math.min(step, count - from);
    // A graph with a fixed number of prompts is padded by repeating the last one.
    const indices = Array.from({ length: fixed ?? size }, (_, k) => from + Math.min(k, size - 1));
    const boxes = prompts.boxes && scaleBoxes(indices.map((i) => prompts.boxes?.[i] as BoxXyxy), image, placed); // biome-ignore format: short
    const earlier = prompts.masks?.[from];
    yield {
      signature,
      count: size,
      inputs: {
        ...(boxes && { input_boxes: tf.tensor3d([boxes.map((box) => [...box])]) }),
        ...pointsOf(prompts, indices, most, image, placed),
      },
      earlier: earlier && tf.tensor4d(earlier.data, [1, earlier.height, earlier.width, 1]),
    };
  }
}

function signatureFor({ boxes, points, multimask }: MaskPrompts): string {
  if (multimask === true)
    throw new UsageError({
      code: 'E_EXPORT_CANNOT',
      where: 'multimask',
      what: 'an exported masker gives one mask a prompt: the choice is part of its graph',
      fix: 'Ask the model itself for several, or export it as safetensors',
    });
  if (points !== undefined) return boxes === undefined ? 'decode_points' : 'decode_points_and_boxes';
  if (boxes !== undefined) return 'decode_boxes';
  throw new UsageError({
    code: 'E_EXPORT_CANNOT',
    where: 'prompts',
    what: 'an exported masker takes an earlier mask only with a box or points',
    fix: 'Give the box or the points of the earlier answer too',
  });
}

function fixedCount(inputs: ManifestPart['signatures'][string]['inputs']): number | undefined {
  const size = (inputs['input_boxes'] ?? inputs['input_points'])?.shape[1];
  return typeof size === 'number' ? size : undefined;
}

function pointsOf({ points, labels }: MaskPrompts, indices: readonly number[], most: number, image: Size, placed: Size) {
  if (points === undefined || labels === undefined) return {};
  const padded = <T>(list: readonly T[], filler: T) => [...list, ...Array.from({ length: most - list.length }, () => filler)];
  const places = indices.map((i) => padded(scalePoints(points[i] ?? [], image, placed), [0, 0]));
  const marks = indices.map((i) => padded(labels[i] ?? [], PADDING));
  return {
    input_points: tf.tensor4d(places.flat(2), [1, indices.length, most, 2]),
    input_labels: tf.tensor3d(marks.flat(), [1, indices.length, most], 'int32'),
  };
}
