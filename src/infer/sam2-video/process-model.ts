import { tf } from '../../backend/index.js';
import type { RasterImage } from '../../imaging/index.js';
import {
  type ObjectInputs,
  type ObjectMemory,
  predictsSeveral,
  type Sam2ImageFeatures,
  type Sam2Video,
} from '../../models/sam2/index.js';
import { type InferencePasses, inference } from '../../nn/index.js';
import type { SquareImage } from '../square-image.js';
import type { ComputedObject, FormerMask, FrameInputs, MarkInputs, TrackerModel } from './tracker-model.js';

/** What an object's mask is computed from. */
interface ComputeInputs extends ObjectInputs {
  readonly features: FrameInputs;
  readonly memory: ObjectMemory | undefined;
}

/** A SAM 2 in this process. Owns nothing. */
export class ProcessModel implements TrackerModel {
  private readonly model: Sam2Video;
  private readonly passes: InferencePasses;
  private readonly square: SquareImage;

  constructor(model: Sam2Video, passes: InferencePasses, square: SquareImage) {
    this.model = model;
    this.passes = passes;
    this.square = square;
  }

  get memory() {
    return this.model.config.memory;
  }

  get imageSize(): number {
    return this.model.config.promptEncoder.imageSize;
  }

  get pointerChannels(): number {
    return this.model.config.neck.fpnHiddenSize;
  }

  async encode(image: RasterImage): Promise<FrameInputs> {
    const { pixelValues } = this.square.prepare(image);
    const features = this.passes.run('frame', { pixelValues }, (given) => {
      const found = this.model.encodeFrame(given.pixelValues, inference);
      return { ...found, begun: this.model.beginRecall(found.embeddings, inference) };
    });
    tf.dispose(pixelValues);
    return features;
  }

  async follow(features: FrameInputs, memory: ObjectMemory | undefined): Promise<ComputedObject> {
    const multimask = predictsSeveral(this.memory, 0, true);
    return this.passes.run('follow', { features, memory, multimask }, (given) => this.compute(given, false));
  }

  async mark(inputs: MarkInputs): Promise<ComputedObject> {
    return this.passes.run('mark', { ...inputs }, (given) => this.compute(given, true));
  }

  async take(features: Sam2ImageFeatures, masks: tf.Tensor4D): Promise<ComputedObject> {
    return this.passes.run('given', { features, masks }, (given) => {
      const taken = this.model.takeMasks(given.features, given.masks, inference);
      const shown = {
        maskLogits: tf.sub(tf.mul(given.masks, 2), 1) as tf.Tensor4D,
        objectScoreLogits: taken.objectScoreLogits,
      };
      return { ...taken, map: this.model.memorise(given.features.embeddings, shown, true, inference) };
    });
  }

  async memorise({ embeddings }: Sam2ImageFeatures, former: FormerMask): Promise<tf.Tensor3D> {
    return this.model.memorise(embeddings, former, false, inference);
  }

  settle(): Promise<void> {
    return this.passes.settle();
  }

  /** Memory attention, mask decoder and memory encoder in one pass. */
  private compute({ features, memory, ...given }: ComputeInputs, prompted: boolean): ComputedObject {
    const embeddings = this.model.recall(features.embeddings, memory, inference, features.begun);
    const found = this.model.decodeObjects({ ...given, features: { ...features, embeddings } }, inference);
    return { ...found, map: this.model.memorise(features.embeddings, found, prompted, inference) };
  }
}
