import { tf } from '../../backend/index.js';
import type { BinaryMask, Clip } from '../../imaging/index.js';
import { resizeAntialiased } from '../../ops/index.js';
import { UsageError } from '../../util/index.js';
import type { TrackPrompt } from '../clip-tracker.js';
import { checkFrame } from '../frames-to-track.js';
import { checkPrompts } from '../mask-prompts.js';

/** Labels of a box's corners. */
const CORNERS = [2, 3] as const;

/**
 * Validates a prompt.
 *
 * @throws UsageError naming the frame and the invalid box, point, label or mask.
 */
export function checkTrackPrompt({ frame, object, box, points, labels, mask }: TrackPrompt, clip: Clip): void {
  checkFrame(frame, clip);
  const where = `${clip.name}, frame ${frame}`;
  if (!Number.isInteger(object)) throw wrong(where, `expected an integer for the object, got ${object}`);
  if (mask !== undefined) {
    if (box !== undefined || points !== undefined || labels !== undefined)
      throw wrong(where, 'a mask comes alone, without box or points');
    const { width, height, data } = mask;
    if (width !== clip.width || height !== clip.height || data.length !== width * height)
      throw wrong(where, `expected a mask of ${clip.width}x${clip.height}, got ${width}x${height} with ${data.length} pixels`);
    return;
  }
  const one = <T>(value: T | undefined): readonly T[] | undefined => (value === undefined ? undefined : [value]);
  checkPrompts({ boxes: one(box), points: one(points), labels: one(labels) }, clip, clip);
}

/** A prompt's box and points in the model's form: the box as two points before all others. */
export function modelPoints({ box, points = [], labels = [] }: TrackPrompt, clip: Clip, imageSize: number) {
  const corners: (readonly [number, number])[] =
    box === undefined
      ? []
      : [
          [box[0], box[1]],
          [box[2], box[3]],
        ];
  const places = [...corners, ...points].map(([x, y]) => [(x * imageSize) / clip.width, (y * imageSize) / clip.height]);
  const kinds = [...(box === undefined ? [] : CORNERS), ...labels];
  return {
    count: places.length,
    /** [1, 1, P, 2]. */
    points: tf.tensor4d(places.flat(), [1, 1, places.length, 2]),
    /** [1, 1, P]. */
    labels: tf.tensor3d(kinds, [1, 1, kinds.length], 'int32'),
  };
}

/** A mask at the size of the model's input: [1, S, S, 1] f32, 0 or 1. */
export function modelMask({ width, height, data }: BinaryMask, imageSize: number): tf.Tensor4D {
  return tf.tidy(() => {
    const whole = tf.tensor4d(
      Float32Array.from(data, (value) => (value === 0 ? 0 : 1)),
      [1, height, width, 1],
    );
    return tf.cast(tf.greaterEqual(resizeAntialiased(whole, [imageSize, imageSize]), 0.5), 'float32');
  });
}

function wrong(where: string, what: string): UsageError {
  return new UsageError({ code: 'E_PROMPT_INVALID', where, what });
}
