import { tf } from '../../backend/index.js';
import type { BoxXyxy, MaskLogits, RasterImage, Size } from '../../imaging/index.js';
import type { ImageProcessor } from '../../processing/index.js';
import { RuntimeError } from '../../util/index.js';
import { checkImage } from '../image-predictor.js';
import { checkPrompts, type MaskPrompts } from '../mask-prompts.js';
import type { Masker, MaskPrediction } from '../masker.js';
import { answerOf, firstMasks, type PromptAnswer } from '../masker.js';
import { paddedImage, type SquareImage, stretchedImage } from '../square-image.js';
import { type ExportedPrompts, exportedPrompts } from './exported-prompts.js';
import type { ManifestPart } from './manifest.js';
import type { Runner } from './signatures.js';

export interface ExportedMaskerOptions {
  readonly runner: Runner;
  readonly imageProcessor: ImageProcessor;
  /** Its entry in the manifest. */
  readonly part: ManifestPart;
}

type Features = Readonly<Record<string, tf.Tensor>> & { readonly image_embeddings: tf.Tensor4D };

interface Current {
  readonly image: RasterImage;
  readonly features: Features;
  readonly placed: Size;
}

/** A masker exported as a graph: `setImage` once, then any number of boxes, points and earlier masks to refine. */
export class ExportedMasker implements Masker {
  private readonly runner: Runner;
  private readonly part: ManifestPart;
  private readonly square: SquareImage;
  private current: Current | undefined;

  constructor({ runner, imageProcessor, part }: ExportedMaskerOptions) {
    this.runner = runner;
    this.part = part;
    this.square = part.type === 'sam' ? paddedImage(imageProcessor, part.width ?? 1024) : stretchedImage(imageProcessor);
  }

  async setImage(image: RasterImage): Promise<void> {
    checkImage(image);
    if (this.current?.image === image) return;
    const { pixelValues, placed } = this.square.prepare(image);
    const features = (await this.runner.run('serving_default', { pixel_values: pixelValues })) as Features;
    tf.dispose(pixelValues);
    this.release();
    this.current = { image, features, placed };
  }

  /**
   * Predicts masks for prompts on the current image. A graph has a fixed number of points: shorter prompts are padded with label
   * -10, as transformers' processor does within a batch. The decoder attends to padding, so the result differs slightly from that
   * of the model without it.
   *
   * @returns one answer per prompt, in order, with one mask each.
   * @throws UsageError for invalid prompts, for more points than the graph has, or for `multimask`; RuntimeError when no image
   * was set.
   */
  async predict(prompts: MaskPrompts): Promise<PromptAnswer[]> {
    const current = this.ready('predict');
    const [, h, w] = current.features.image_embeddings.shape;
    const lowRes = { width: 4 * w, height: 4 * h };
    const count = checkPrompts(prompts, current.image, lowRes);
    const answers: PromptAnswer[] = [];
    for (const call of exportedPrompts(prompts, count, this.part, current)) answers.push(...(await this.ask(call, current)));
    return answers;
  }

  async predictBoxes(boxesXyxyPx: readonly BoxXyxy[], levels?: readonly number[]): Promise<MaskPrediction[]> {
    const { image, placed } = this.ready('predictBoxes');
    if (boxesXyxyPx.length === 0) return [];
    const answers = await this.predict({ boxes: boxesXyxyPx });
    return firstMasks(answers, levels, (logits) => this.square.toImage(logits, placed, image));
  }

  private async ask({ signature, count, inputs, earlier }: ExportedPrompts, current: Current): Promise<PromptAnswer[]> {
    const { features, image, placed } = current;
    const refined = earlier && (await this.withEarlier(features, earlier));
    const outputs = await this.runner.run(signature, { ...features, ...refined, ...inputs });
    tf.dispose([inputs, { ...refined }]);
    const { pred_masks, iou_scores, object_score_logits } = outputs as Record<string, tf.Tensor>;
    const [logits, scores, object] = await Promise.all(
      [pred_masks, iou_scores, object_score_logits].map(async (x) => x?.data<'float32'>()),
    );
    const [height = 0, width = 0] = pred_masks?.shape.slice(-2) ?? [];
    tf.dispose({ ...outputs });
    // A graph with a fixed number of prompts returns surplus answers.
    const decoded = { logits: logits as Float32Array, scores: scores as Float32Array, object };
    const toImage = (own: MaskLogits) => this.square.toImage(own, placed, image);
    return Array.from({ length: count }, (_, k) => answerOf(decoded, k, { each: 1, lowRes: { width, height }, toImage }));
  }

  private async withEarlier(features: Features, earlier: tf.Tensor4D): Promise<Pick<Features, 'image_embeddings'>> {
    const { mask_embeddings } = await this.runner.run('embed_masks', { input_masks: earlier });
    const image_embeddings = tf.add(features.image_embeddings, mask_embeddings as tf.Tensor) as tf.Tensor4D;
    tf.dispose([earlier, mask_embeddings as tf.Tensor]);
    return { image_embeddings };
  }

  private ready(method: string): Current {
    if (this.current !== undefined) return this.current;
    throw new RuntimeError({
      code: 'E_NOT_READY',
      where: `ExportedMasker.${method}`,
      what: 'no image was set',
      fix: 'Call setImage first',
    });
  }

  private release(): void {
    if (this.current !== undefined) tf.dispose({ ...this.current.features });
    this.current = undefined;
  }

  dispose(): void {
    this.release();
    this.runner.dispose();
  }
}
