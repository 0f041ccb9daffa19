import { z } from 'zod';
import { requestLimits } from '../limits.js';
import { bbox, detection, measures, mmPerPixel, sentMask } from '../schemas.js';

/** Schemas of requests and responses about clips. */

const id = z.string().regex(/^[0-9a-f]{32}$/, 'expected the id of an earlier response');

const frame = z.int().min(0).describe('counted from 0');

const track = z.int().min(1);

/** Forms send the file itself. */
export const openClipBody = z.strictObject({
  image: z
    .base64()
    .optional()
    .describe(
      'the bytes of a DICOM or TIFF file of several frames, an animated WebP or GIF, or where ffmpeg is installed an MP4, MOV, AVI, MKV or WebM; in a form, the file itself',
    ),
  file_name: z
    .string()
    .max(1000)
    .optional()
    .describe('only its extension is used: videos, and old DICOM files, are recognised by it'),
  mm_per_pixel: mmPerPixel,
});

export const clipParams = z.object({ id });

export const clipFrameParams = z.object({ id, frame: z.coerce.number().int().min(0) });

export const clipTrackParams = z.object({ id, track: z.coerce.number().int().min(1) });

export const findBody = z.strictObject({
  frame,
  prompt: z.string().max(requestLimits.promptLetters).describe('phrases to look for, separated by dots'),
  ...detection,
});

export const markBody = z.strictObject({
  frame,
  track: track.optional().describe('the object that is corrected; a new one if absent'),
  phrase: z.string().trim().max(requestLimits.promptLetters).default('').describe('the name of a new object'),
  bbox: bbox.optional(),
  points: z
    .array(z.tuple([z.number(), z.number()]))
    .max(requestLimits.points)
    .default([])
    .describe('x, y in pixels; together with the box, they take the place of earlier ones on this frame'),
  labels: z
    .array(z.union([z.literal(0), z.literal(1)]))
    .max(requestLimits.points)
    .optional()
    .describe('for each point 1 (inside) or 0 (outside). Default: all inside'),
  mask: sentMask.optional().describe("instead of box and points: the object's mask, COCO's compressed RLE"),
});

export const propagateBody = z.strictObject({
  from: frame,
  direction: z.enum(['forward', 'backward']).default('forward'),
  frames: z.int().min(1).optional().describe('largest number of frames. Default: to the end, or the start, of the clip'),
});

/** For requests whose address says everything. */
export const emptyBody = z.strictObject({}).nullish();

const undo = z.int().describe('number of changes that can be undone');

const sentTrack = z.object({
  track: track.describe('the same for an object in all frames'),
  phrase: z.string(),
  score: z.number().nullable().describe("the detector's confidence where it last found it; null for what was drawn"),
  object_score: z.number().describe('probability that the frame shows it; without a memory, the score on this frame'),
  mask_score: z.number().describe("the masker's estimate of the mask's IoU"),
  marked: z.boolean().describe('whether it was marked, or found by the detector, on this frame'),
  bbox: z
    .tuple([z.number(), z.number(), z.number(), z.number()])
    .readonly()
    .nullable()
    .describe('left, top, width, height in pixels; null where the frame does not show it'),
  area: z.number().describe('pixels of the mask'),
  ...measures,
  mask: z
    .object({ size: z.tuple([z.int(), z.int()]).readonly().describe('height, width'), counts: z.string() })
    .nullable()
    .describe('COCO RLE; null where the frame does not show it'),
});

export const openClipAnswer = z.object({
  clip: z.object({
    id: z.string().describe('identifies the clip in later requests'),
    width: z.int(),
    height: z.int(),
    frames: z.int(),
    frame_seconds: z.number().nullable().describe('time between two frames, if the file states it'),
    spacing_mm: z
      .tuple([z.number(), z.number()])
      .readonly()
      .nullable()
      .describe('between columns and between rows, if the file states it'),
    tracking: z
      .enum(['memory', 'detection'])
      .describe('whether the masker remembers objects, or the detector looks for them on each frame'),
    notices: z.array(z.string()).readonly(),
  }),
});

export const changeAnswer = z.object({ frame: z.int(), tracks: z.array(sentTrack).readonly(), undo });

export const undoAnswer = z.object({ undo });

export const closeAnswer = z.object({});

/** A line of the answer to a propagation, of which each is JSON. */
export const propagateAnswer = z
  .string()
  .describe(
    'JSON lines: first {"frames": number of frames to come, "undo"}, then for each {"frame", "tracks"} as in the other answers, last {"done": true}, or {"error"} as an error answer; what came before an error stays',
  );
