import { z } from 'zod';
import { selections } from '../../processing/index.js';
import { requestLimits } from '../limits.js';

/** Requests of MONAI Label's clients: names of fields and parameters are theirs. */

/** What viewers call an image: a name, a path below a folder, a UID. */
const id = z.string().max(1000);

export const imageQuery = z.object({ image: id });
export const uploadQuery = z.object({ image: id.optional() });
export const datastoreQuery = z.object({ output: z.enum(['stats', 'train', 'all']).default('stats') });
export const sessionParams = z.object({ session: z.string().regex(/^[0-9a-f]{32}$/) });
export const modelParams = z.object({ model: z.string().max(200) });
export const strategyParams = z.object({ strategy: z.string().max(200) });

export const inferQuery = z.object({
  image: id.default(''),
  session_id: z.string().max(100).default(''),
  output: z.enum(['image', 'json', 'all', 'dicom_seg']).default('all'),
});

/** Viewers send numbers of their tables as text. */
const number = z.union([z.number(), z.string().trim().min(1).transform(Number)]);

/** The parameters that are used. Others are named in the answer as ignored. */
export const inferParams = z.looseObject({
  prompt: z.string().max(requestLimits.promptLetters).optional(),
  threshold: number.pipe(z.number().min(0).max(1)).default(0.3),
  nms: number.pipe(z.number().min(0).max(1)).default(0.5),
  select: z.enum(selections).default('all'),
  frame: number.pipe(z.int().nonnegative()).optional(),
  result_extension: z.enum(['.nrrd']).default('.nrrd'),
  result_compress: z.boolean().default(false),
});

/** Parameters of viewers that change nothing here. */
export const EXPECTED = ['client_id', 'result_dtype', 'restore_label_idx', 'device', 'model', 'image'];

export const inferBody = z.object({ params: inferParams.prefault({}) });
