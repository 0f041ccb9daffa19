import { tf } from '../../backend/index.js';
import type { RasterImage } from '../../imaging/index.js';
import type { Sam2ImageFeatures, Sam2Video } from '../../models/sam2/index.js';
import { InferencePasses, inference } from '../../nn/index.js';
import type { ImageProcessor } from '../../processing/index.js';

/** Most memory for features of images that come again, in bytes. */
const KEPT_BYTES = 2 * 2 ** 30;

/** Features of one image on the host. */
type Kept = Readonly<Record<keyof Sam2ImageFeatures, { readonly shape: tf.Tensor4D['shape']; readonly data: Float32Array }>>;

/**
 * The features of images by an encoder that is not trained. Those of an image that comes a second time are kept, within a limit:
 * datasets without augmentation give the same images in each epoch.
 */
export class ImageFeatures {
  private readonly model: Sam2Video;
  private readonly processor: ImageProcessor;
  private readonly passes: InferencePasses;
  private readonly seen = new WeakSet<RasterImage>();
  private readonly kept = new Map<RasterImage, Kept>();
  private free = KEPT_BYTES;

  constructor(model: Sam2Video, processor: ImageProcessor) {
    this.model = model;
    this.processor = processor;
    this.passes = new InferencePasses(model);
  }

  /** Features of images, a row each. The tensors belong to the caller. */
  async of(images: readonly RasterImage[]): Promise<Sam2ImageFeatures> {
    const rows: Sam2ImageFeatures[] = [];
    try {
      for (const image of images) rows.push(await this.ofOne(image));
      const joined = (name: keyof Sam2ImageFeatures) => tf.concat(rows.map((row) => row[name]) as tf.Tensor4D[], 0);
      return { embeddings: joined('embeddings'), highRes0: joined('highRes0'), highRes1: joined('highRes1') };
    } finally {
      tf.dispose(rows.map((row) => ({ ...row })));
    }
  }

  private async ofOne(image: RasterImage): Promise<Sam2ImageFeatures> {
    const known = this.kept.get(image);
    if (known !== undefined) {
      const tensor = ({ data, shape }: Kept[keyof Kept]) => tf.tensor4d(data, shape);
      return { embeddings: tensor(known.embeddings), highRes0: tensor(known.highRes0), highRes1: tensor(known.highRes1) };
    }
    const { pixelValues, pixelMask } = this.processor.process([image]);
    const features = this.passes.run('image', { pixelValues }, (given) => this.model.encodeFrame(given.pixelValues, inference));
    tf.dispose([pixelValues, pixelMask]);
    if (this.seen.has(image)) await this.keep(image, features);
    this.seen.add(image);
    return features;
  }

  private async keep(image: RasterImage, { embeddings, highRes0, highRes1 }: Sam2ImageFeatures): Promise<void> {
    const bytes = 4 * (embeddings.size + highRes0.size + highRes1.size);
    if (bytes > this.free) return;
    this.free -= bytes;
    const read = async (tensor: tf.Tensor4D) => ({ shape: tensor.shape, data: await tensor.data<'float32'>() });
    this.kept.set(image, {
      embeddings: await read(embeddings),
      highRes0: await read(highRes0),
      highRes1: await read(highRes1),
    });
  }

  /** Frees the graphs, and forgets all images. */
  dispose(): void {
    this.passes.dispose();
    this.kept.clear();
  }
}
