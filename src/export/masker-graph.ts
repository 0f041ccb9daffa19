import type { tf } from '../backend/index.js';
import { inference } from '../nn/index.js';
import type { MaskerParts } from '../pretrained/index.js';
import type { PortMeaning } from './program.js';

type Tensors = Readonly<Record<string, tf.Tensor>>;
type Meanings = Readonly<Record<string, PortMeaning>>;

/** A masker as functions of named tensors, whatever its model. */
export interface MaskerGraph {
  /** Side length of its square images, in pixels. */
  readonly side: number;
  /** Side length of earlier masks. */
  readonly maskSide: number;
  /** Outputs of the encoder and inputs of the decoder. */
  readonly features: Meanings;
  /** Outputs of the decoder. */
  readonly answers: Meanings;
  encode(pixelValues: tf.Tensor4D): Record<string, tf.Tensor>;
  /** @param inputs - the features, and `input_boxes`, `input_points` with `input_labels`, or all of them. */
  decode(inputs: Tensors): Record<string, tf.Tensor>;
  embedMasks(masks: tf.Tensor4D): tf.Tensor4D;
}

const EMBEDDINGS = {
  image_embeddings: { layout: '[1, h, w, C]', meaning: 'image embeddings of the encoder' },
};

const ANSWERS = {
  pred_masks: { layout: '[1, N, 1, 4h, 4w]', meaning: 'logits, positive inside' },
  iou_scores: { layout: '[1, N, 1]', meaning: 'expected IoU of each mask' },
};

/** The functions of a SAM 2 or a SAM. */
export function maskerGraph(parts: Pick<MaskerParts, 'type' | 'model' | 'config'>): MaskerGraph {
  return isSam2(parts) ? sam2Graph(parts) : samGraph(parts as SamLike);
}

type Sam2Like = Pick<Extract<MaskerParts, { type: 'sam2' }>, 'type' | 'model' | 'config'>;
type SamLike = Pick<Extract<MaskerParts, { type: 'sam' }>, 'type' | 'model' | 'config'>;

function isSam2(parts: Pick<MaskerParts, 'type' | 'model' | 'config'>): parts is Sam2Like {
  return parts.type === 'sam2';
}

function sam2Graph({ model, config }: Sam2Like): MaskerGraph {
  return {
    side: config.promptEncoder.imageSize,
    maskSide: 4 * Math.floor(config.promptEncoder.imageSize / config.promptEncoder.patchSize),
    features: {
      ...EMBEDDINGS,
      high_res_0: { layout: '[1, 4h, 4w, C / 8]', meaning: 'feature map of the highest resolution' },
      high_res_1: { layout: '[1, 2h, 2w, C / 4]', meaning: 'feature map of the middle resolution' },
    },
    answers: {
      ...ANSWERS,
      object_score_logits: { layout: '[1, N, 1]', meaning: 'positive where there is an object' },
    },
    encode(pixelValues) {
      const { embeddings, highRes0, highRes1 } = model.encodeImage(pixelValues, inference);
      return { image_embeddings: embeddings, high_res_0: highRes0, high_res_1: highRes1 };
    },
    decode(x) {
      const features = {
        embeddings: x['image_embeddings'] as tf.Tensor4D,
        highRes0: x['high_res_0'] as tf.Tensor4D,
        highRes1: x['high_res_1'] as tf.Tensor4D,
      };
      const { predMasks, iouScores, objectScoreLogits } = model.decodeMasks(
        { features, ...promptsIn(x), multimask: false },
        inference,
      );
      return { pred_masks: predMasks, iou_scores: iouScores, object_score_logits: objectScoreLogits };
    },
    embedMasks: (masks) => model.embedMasks(masks),
  };
}

function samGraph({ model, config }: SamLike): MaskerGraph {
  return {
    side: config.vision.imageSize,
    maskSide: 4 * Math.floor(config.vision.imageSize / config.vision.patchSize),
    features: EMBEDDINGS,
    answers: ANSWERS,
    encode: (pixelValues) => ({ image_embeddings: model.encodeImage(pixelValues, inference).embeddings }),
    decode(x) {
      const features = { embeddings: x['image_embeddings'] as tf.Tensor4D };
      const { predMasks, iouScores } = model.decodeMasks({ features, ...promptsIn(x), multimask: false }, inference);
      return { pred_masks: predMasks, iou_scores: iouScores };
    },
    embedMasks: (masks) => model.embedMasks(masks),
  };
}

function promptsIn(x: Tensors) {
  return {
    boxes: x['input_boxes'] as tf.Tensor3D | undefined,
    points: x['input_points'] as tf.Tensor4D | undefined,
    labels: x['input_labels'] as tf.Tensor3D | undefined,
  };
}
