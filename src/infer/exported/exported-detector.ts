import { tf } from '../../backend/index.js';
import { type RasterImage, resizeImage, type Size } from '../../imaging/index.js';
import {
  collateText,
  type Detection,
  ImageProcessor,
  mostDetections,
  type QueryAnswers,
  type SelectOptions,
  selectDetections,
} from '../../processing/index.js';
import type { EncodedPrompt, PromptTokenizer } from '../../prompts/index.js';
import type { Detector } from '../detector.js';
import type { Runner } from './signatures.js';

export interface ExportedDetectorOptions {
  readonly runner: Runner;
  readonly tokenizer: PromptTokenizer;
  readonly imageProcessor: ImageProcessor;
  /** The input size that the graph was traced with. */
  readonly size: Size;
  readonly textLength: number;
}

/**
 * A detector exported as a graph. Images are resized and padded to the size of the graph, prompts padded to its number of tokens.
 */
export class ExportedDetector implements Detector {
  private readonly options: ExportedDetectorOptions;
  private readonly fill: ImageProcessor;

  constructor(options: ExportedDetectorOptions) {
    this.options = options;
    this.fill = new ImageProcessor({ ...options.imageProcessor.config, do_resize: false });
  }

  async detect(image: RasterImage, phrases: readonly string[], options: Partial<SelectOptions> = {}): Promise<Detection[]> {
    const found: Detection[] = [];
    const prepared = this.prepare(image);
    try {
      for (const prompt of this.options.tokenizer.encodeAll(phrases)) {
        const answers = await this.ask(prepared, prompt);
        found.push(...selectDetections(answers, prompt, { ...options, threshold: options.threshold ?? 0.3 }, image));
      }
    } finally {
      tf.dispose(prepared);
    }
    found.sort((a, b) => b.score - a.score);
    return found.slice(0, mostDetections(options));
  }

  /** Images whose regular model size exceeds the graph's are scaled down further. */
  private prepare(image: RasterImage): { pixel_values: tf.Tensor; pixel_mask: tf.Tensor } {
    const { imageProcessor, size } = this.options;
    const wanted = imageProcessor.targetSize(image);
    const scale = Math.min(1, size.height / wanted.height, size.width / wanted.width);
    const target = {
      height: Math.max(1, Math.floor(wanted.height * scale)),
      width: Math.max(1, Math.floor(wanted.width * scale)),
    };
    const resized = resizeImage(image, target, imageProcessor.config.resample === 3 ? 'bicubic' : 'bilinear');
    return tf.tidy(() => {
      const { pixelValues, pixelMask } = this.fill.process([resized]);
      const edges: [number, number][] = [
        [0, 0],
        [0, size.height - target.height],
        [0, size.width - target.width],
      ];
      return { pixel_values: tf.pad(pixelValues, [...edges, [0, 0]]), pixel_mask: tf.pad(pixelMask, edges) };
    });
  }

  private async ask(image: Record<string, tf.Tensor>, prompt: EncodedPrompt): Promise<QueryAnswers> {
    const { runner, textLength } = this.options;
    const text = tf.tidy(() => {
      const { inputIds, attentionMask, tokenTypeIds } = collateText([prompt]);
      const padded = (x: tf.Tensor2D) =>
        tf.pad(x, [
          [0, 0],
          [0, textLength - x.shape[1]],
        ]);
      return { input_ids: padded(inputIds), attention_mask: padded(attentionMask), token_type_ids: padded(tokenTypeIds) };
    });
    const outputs = await runner.run('serving_default', { ...image, ...text });
    const { logits, pred_boxes } = outputs as Readonly<Record<string, tf.Tensor>>;
    const [values, boxes] = await Promise.all([logits?.data<'float32'>(), pred_boxes?.data<'float32'>()]);
    tf.dispose([text, { ...outputs }]);
    return { logits: values as Float32Array, boxes: boxes as Float32Array };
  }

  dispose(): void {
    this.options.runner.dispose();
  }
}
