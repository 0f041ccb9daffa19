import { z } from 'zod';
import { tf } from '../backend/index.js';
import type { BoxXyxy, RasterImage, Size } from '../imaging/index.js';
import { resizeImage } from '../imaging/index.js';
import { CheckpointError, DataError, modelPath, readModelText } from '../util/index.js';

const IMAGENET_MEAN = [0.485, 0.456, 0.406];
const IMAGENET_STD = [0.229, 0.224, 0.225];

/** Maximum side length of model inputs, in pixels. Published models take 1,333 at most. */
export const LARGEST_SIDE = 4096;
const side = z.int().positive().max(LARGEST_SIDE);

const fields = z.object({
  do_resize: z.boolean().default(true),
  /** Pillow's codes: 2 bilinear, 3 bicubic. */
  resample: z.union([z.literal(2), z.literal(3)]).default(2),
  size: z.union([
    z.object({ shortest_edge: side, longest_edge: side }),
    z.object({ height: side, width: side }),
    z.object({ longest_edge: side }),
  ]),
  do_rescale: z.boolean().default(true),
  rescale_factor: z
    .number()
    .positive()
    .max(1e6)
    .default(1 / 255),
  do_normalize: z.boolean().default(true),
  image_mean: z.array(z.number().min(-1e6).max(1e6)).length(3).default(IMAGENET_MEAN),
  image_std: z.array(z.number().min(1e-6).max(1e6)).length(3).default(IMAGENET_STD),
  do_pad: z.boolean().nullish(),
  /** Size that all images are padded to. Default: the largest of a batch. */
  pad_size: z.object({ height: side, width: side }).nullish(),
});

const configSchema = fields.superRefine(({ do_resize, size, do_pad, pad_size }, context) => {
  if (!do_resize || do_pad === false || !pad_size) return;
  const largest = 'height' in size ? size : { height: size.longest_edge, width: size.longest_edge };
  for (const side of ['height', 'width'] as const) {
    if (pad_size[side] >= largest[side]) continue;
    const message = `expected at least ${largest[side]}, which images can be resized to, got ${pad_size[side]}`;
    context.addIssue({ code: 'custom', path: ['pad_size', side], message });
  }
});

/** The image settings of Hugging Face's `preprocessor_config.json`. */
export type ImageProcessorConfig = z.infer<typeof configSchema>;

/** Images in a model's input format. */
export interface ProcessedImages {
  /** [B, H, W, 3] f32, normalised; smaller images are zero-padded on the right and below, to `pad_size` if set. */
  readonly pixelValues: tf.Tensor4D;
  /** [B, H, W] i32: 1 image, 0 padding. */
  readonly pixelMask: tf.Tensor3D;
  /** Size of each image after resizing, before padding. */
  readonly sizes: readonly Size[];
}

/** Resizes and normalises images as in the training of a model. */
export class ImageProcessor {
  readonly config: ImageProcessorConfig;

  constructor(config: ImageProcessorConfig) {
    this.config = config;
  }

  /**
   * Reads the settings of a model directory: `preprocessor_config.json`, or in newer folders `processor_config.json`.
   *
   * @param otherwise - default settings if there is no such file. Default: none, the file is required.
   * @throws CheckpointError naming the missing file, or the invalid setting.
   */
  static async load(modelDir: string, otherwise?: unknown): Promise<ImageProcessor> {
    const own = modelPath(modelDir, 'preprocessor_config.json');
    const shared = modelPath(modelDir, 'processor_config.json');
    const nested = (await readSettings(shared)) as { image_processor?: unknown } | undefined;
    const json = (await readSettings(own)) ?? nested?.image_processor ?? otherwise;
    if (json === undefined) throw problem(own, 'there is no such file', undefined, 'E_MODEL_INCOMPLETE');
    const parsed = configSchema.safeParse(json);
    if (parsed.success) return new ImageProcessor(parsed.data);
    const reasons = parsed.error.issues.map(
      ({ path, message }) => `${path.join('.')}: ${message.replace('Invalid input: ', '')}`,
    );
    throw problem(own, `the image settings cannot be used (${reasons.join('; ')})`);
  }

  /** Settings given by a program; absent ones are Hugging Face's defaults. */
  static of(settings: z.input<typeof configSchema>): ImageProcessor {
    return new ImageProcessor(configSchema.parse(settings));
  }

  /** The same settings with another image size. */
  sized(size: ImageProcessorConfig['size']): ImageProcessor {
    return new ImageProcessor({ ...this.config, do_resize: true, size });
  }

  /** The size that an image is resized to. */
  targetSize(image: Size): Size {
    const { size, do_resize } = this.config;
    if (!do_resize) return { width: image.width, height: image.height };
    if ('height' in size) return { width: size.width, height: size.height };
    const short = Math.min(image.width, image.height);
    const long = Math.max(image.width, image.height);
    if (!('shortest_edge' in size)) {
      // Each side separately, like SAM's processor, but at least one pixel for extremely long images.
      const scale = size.longest_edge / long;
      const scaled = (side: number) => Math.max(1, Math.floor(side * scale + 0.5));
      return { width: scaled(image.width), height: scaled(image.height) };
    }
    const shortest = Math.min(size.shortest_edge, Math.round((size.longest_edge * short) / long));
    const other = Math.trunc((shortest * long) / short);
    return image.width < image.height ? { width: shortest, height: other } : { width: other, height: shortest };
  }

  /**
   * The size that resized images are padded to.
   *
   * @throws DataError when one is larger than the configured size.
   */
  private paddedSize(resized: readonly Size[]): Size {
    const width = Math.max(...resized.map((image) => image.width));
    const height = Math.max(...resized.map((image) => image.height));
    const { do_pad, pad_size } = this.config;
    if (do_pad === false || !pad_size) return { width, height };
    if (width > pad_size.width || height > pad_size.height)
      throw new DataError({
        code: 'E_IMAGE_TOO_LARGE',
        where: 'ImageProcessor.process',
        what: `an image is ${width}x${height}, larger than pad_size, ${pad_size.width}x${pad_size.height}`,
        fix: 'Switch do_resize on, or make the images smaller',
      });
    return pad_size;
  }

  /** @throws DataError when an image that is not resized is larger than `pad_size`. */
  process(images: readonly RasterImage[]): ProcessedImages {
    const filter = this.config.resample === 3 ? 'bicubic' : 'bilinear';
    const resized = images.map((image) => resizeImage(image, this.targetSize(image), filter));
    const { width, height } = this.paddedSize(resized);
    const values = new Float32Array(resized.length * height * width * 3);
    const mask = new Int32Array(resized.length * height * width);
    const table = this.lookupTable();
    for (const [b, image] of resized.entries()) {
      for (let y = 0; y < image.height; y++) {
        const row = (b * height + y) * width;
        mask.fill(1, row, row + image.width);
        const from = y * image.width * 3;
        for (let i = 0; i < image.width * 3; i++)
          values[row * 3 + i] = table[(i % 3) * 256 + (image.data[from + i] as number)] as number;
      }
    }
    return {
      pixelValues: tf.tensor4d(values, [resized.length, height, width, 3]),
      pixelMask: tf.tensor3d(mask, [resized.length, height, width], 'int32'),
      sizes: resized.map(({ width: w, height: h }) => ({ width: w, height: h })),
    };
  }

  /** The normalised value of each of 256 levels in each channel. */
  private lookupTable(): Float32Array {
    const { do_rescale, rescale_factor, do_normalize, image_mean, image_std } = this.config;
    return Float32Array.from({ length: 768 }, (_, i) => {
      const c = Math.floor(i / 256);
      const value = (i % 256) * (do_rescale ? rescale_factor : 1);
      return do_normalize ? (value - (image_mean[c] as number)) / (image_std[c] as number) : value;
    });
  }
}

/** The settings in a file, or undefined if there is none. */
async function readSettings(file: string): Promise<unknown> {
  const text = await readModelText(file);
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch (cause) {
    throw problem(file, 'it is not valid JSON', cause);
  }
}

function problem(
  where: string,
  what: string,
  cause?: unknown,
  code: CheckpointError['code'] = 'E_MODEL_DAMAGED',
): CheckpointError {
  return new CheckpointError({ code, where, what, fix: 'Name the folder of a model, with its preprocessor_config.json', cause });
}

/** Scales boxes from one size of an image to another, in pixels. */
export function scaleBoxes(boxesXyxyPx: readonly BoxXyxy[], from: Size, to: Size): BoxXyxy[] {
  const [sx, sy] = [to.width / from.width, to.height / from.height];
  return boxesXyxyPx.map(([x0, y0, x1, y1]) => [x0 * sx, y0 * sy, x1 * sx, y1 * sy]);
}
