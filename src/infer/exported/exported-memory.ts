import { tf } from '../../backend/index.js';
import type { RasterImage } from '../../imaging/index.js';
import { maskShares, type ObjectMemory, predictsSeveral, type Sam2ImageFeatures, timeRow } from '../../models/sam2/index.js';
import type { ComputedObject, FormerMask, MarkInputs, TrackerMemory, TrackerModel } from '../sam2-video/tracker-model.js';
import type { SquareImage } from '../square-image.js';
import type { ManifestMemory, ManifestPart } from './manifest.js';
import type { Runner } from './signatures.js';

type Tensors = Readonly<Record<string, tf.Tensor>>;

export interface ExportedMemoryOptions {
  readonly runner: Runner;
  /** The masker's entry in the manifest. */
  readonly part: ManifestPart;
  readonly memory: ManifestMemory;
  readonly square: SquareImage;
}

/** The label of the point that stands for no point. */
const NO_POINT = -1;

/**
 * The exported graphs of a masker with a memory. Features are those of the image part's encoder. Owns the positions of maps, which
 * are the same on each frame; the runner is another's.
 */
export class ExportedMemory implements TrackerModel {
  readonly memory: TrackerMemory;
  readonly imageSize: number;
  readonly pointerChannels: number;
  private readonly runner: Runner;
  private readonly square: SquareImage;
  /** [1, h * w, M] f32 each, by their row of the model's times. */
  private readonly places = new Map<number, tf.Tensor3D>();

  constructor({ runner, part, memory, square }: ExportedMemoryOptions) {
    this.runner = runner;
    this.square = square;
    this.imageSize = part.width ?? 1024;
    this.pointerChannels = Number(part.signatures['place_pointers']?.inputs['pointers']?.shape.at(-1));
    this.memory = {
      numMaskmem: memory.num_maskmem,
      maxObjectPointersInEncoder: memory.max_object_pointers_in_encoder,
      maxCondFrameNum: memory.max_cond_frame_num ?? undefined,
      multimaskOutputInSam: memory.multimask_output_in_sam,
      multimaskMinPtNum: memory.multimask_min_pt_num,
      multimaskMaxPtNum: memory.multimask_max_pt_num,
      multimaskOutputForTracking: memory.multimask_output_for_tracking,
    };
  }

  async encode(image: RasterImage): Promise<Sam2ImageFeatures> {
    const { pixelValues } = this.square.prepare(image);
    const found = await this.run('serving_default', { pixel_values: pixelValues });
    tf.dispose(pixelValues);
    return {
      embeddings: found['image_embeddings'] as tf.Tensor4D,
      highRes0: found['high_res_0'] as tf.Tensor4D,
      highRes1: found['high_res_1'] as tf.Tensor4D,
    };
  }

  async follow(features: Sam2ImageFeatures, memory: ObjectMemory | undefined): Promise<ComputedObject> {
    const none = { points: tf.zeros<tf.Rank.R4>([1, 1, 1, 2]), labels: tf.tensor3d([NO_POINT], [1, 1, 1], 'int32') };
    const multimask = predictsSeveral(this.memory, 0, true);
    const found = await this.decode({ features, memory, ...none, masks: undefined, multimask }, false);
    tf.dispose(none);
    return found;
  }

  mark(inputs: MarkInputs): Promise<ComputedObject> {
    return this.decode(inputs, true);
  }

  async take(features: Sam2ImageFeatures, masks: tf.Tensor4D): Promise<ComputedObject> {
    const found = await this.run('take_mask', { ...portsOf(features), masks });
    const { object_score_logits } = found;
    const map = await this.remember(features, masks, object_score_logits as tf.Tensor2D);
    return objectOf(found, map);
  }

  memorise(features: Sam2ImageFeatures, { maskLogits, objectScoreLogits }: FormerMask): Promise<tf.Tensor3D> {
    return this.memoriseLogits(features, maskLogits, objectScoreLogits, false);
  }

  async settle(): Promise<void> {}

  /** Memory attention, mask decoder and memory encoder, one after the other. */
  private async decode(inputs: MarkInputs, prompted: boolean): Promise<ComputedObject> {
    const { features, memory, points, labels, masks, multimask } = inputs;
    const own: tf.Tensor[] = [];
    const add = (embeddings: tf.Tensor4D) => {
      own.push(embeddings);
      return embeddings;
    };
    let { embeddings } = features;
    if (memory !== undefined) embeddings = add(await this.recall(embeddings, memory));
    if (masks !== undefined) {
      const { mask_embeddings } = await this.run('embed_masks', { input_masks: masks });
      own.push(mask_embeddings as tf.Tensor);
      embeddings = add(tf.add(embeddings, mask_embeddings as tf.Tensor));
    }
    const given = { ...portsOf({ ...features, embeddings }), input_points: points, input_labels: labels };
    const found = await this.run(multimask ? 'decode_object_several' : 'decode_object', given);
    tf.dispose(own);
    const { pred_masks, object_score_logits } = found;
    const logits = pred_masks as tf.Tensor4D;
    const map = await this.memoriseLogits(features, logits, object_score_logits as tf.Tensor2D, prompted);
    return objectOf(found, map);
  }

  private async recall(embeddings: tf.Tensor4D, { frames, pointers, pointerTimes }: ObjectMemory): Promise<tf.Tensor4D> {
    // At once: while graphs are loaded, the track may let go of its maps.
    const maps = tf.concat(
      frames.map(({ map }) => map),
      1,
    ); // [1, F * h * w, M]
    const places: tf.Tensor[] = [];
    for (const { age } of frames) places.push(await this.placeOf(timeRow(age, this.memory.numMaskmem)));
    const parts =
      pointers === undefined || pointerTimes === undefined
        ? undefined
        : await this.run('place_pointers', { pointers, pointer_times: pointerTimes });
    const tokens = tf.tidy(() => {
      const [, h, w] = embeddings.shape;
      const more = (name: string) => (parts === undefined ? [] : [parts[name] as tf.Tensor]);
      const memory = tf.concat([maps as tf.Tensor, ...more('memory')], 1); // [1, K, M]
      const [, count = 0] = memory.shape;
      const cells = Int32Array.from({ length: count }, (_, i) => (i < maps.shape[1] ? i % (h * w) : h * w));
      return {
        memory,
        memory_positions: tf.concat([...places, ...more('memory_positions')], 1),
        memory_cells: tf.tensor1d(cells, 'int32'),
      };
    });
    const { image_embeddings } = await this.run('recall', { image_embeddings: embeddings, ...tokens });
    tf.dispose([maps, tokens, { ...parts }]);
    return image_embeddings as tf.Tensor4D;
  }

  private async placeOf(row: number): Promise<tf.Tensor3D> {
    const known = this.places.get(row);
    if (known !== undefined) return known;
    const input = tf.tensor1d([row], 'int32');
    const { memory_positions } = await this.run('place_map', { memory_row: input });
    input.dispose();
    // Another clip may have asked in the meantime.
    const other = this.places.get(row);
    if (other !== undefined) tf.dispose(memory_positions as tf.Tensor);
    else this.places.set(row, memory_positions as tf.Tensor3D);
    return other ?? (memory_positions as tf.Tensor3D);
  }

  private async memoriseLogits(features: Sam2ImageFeatures, logits: tf.Tensor4D, object: tf.Tensor2D, prompted: boolean) {
    const shares = maskShares(logits, [this.imageSize, this.imageSize], prompted);
    const map = await this.remember(features, shares, object);
    shares.dispose();
    return map;
  }

  private async remember({ embeddings }: Sam2ImageFeatures, shares: tf.Tensor4D, object: tf.Tensor2D): Promise<tf.Tensor3D> {
    const given = { image_embeddings: embeddings, mask_shares: shares, object_score_logits: object };
    return (await this.run('memorise', given))['memory'] as tf.Tensor3D;
  }

  private async run(signature: string, inputs: Tensors): Promise<Tensors> {
    return this.runner.run(signature, inputs);
  }

  /** Frees the positions. Idempotent. */
  dispose(): void {
    for (const place of this.places.values()) place.dispose();
    this.places.clear();
  }
}

function portsOf({ embeddings, highRes0, highRes1 }: Sam2ImageFeatures) {
  return { image_embeddings: embeddings, high_res_0: highRes0, high_res_1: highRes1 };
}

function objectOf({ pred_masks, iou_scores, object_score_logits, pointers }: Tensors, map: tf.Tensor3D): ComputedObject {
  return {
    maskLogits: pred_masks as tf.Tensor,
    iouScores: iou_scores as tf.Tensor,
    objectScoreLogits: object_score_logits as tf.Tensor,
    pointers: pointers as tf.Tensor,
    map,
  };
}
