import { tf } from '../../src/backend/index.js';
import type { RasterImage } from '../../src/imaging/index.js';
import type {
  ComputedObject,
  FormerMask,
  FrameInputs,
  MarkInputs,
  TrackerModel,
} from '../../src/infer/sam2-video/tracker-model.js';
import type { ObjectMemory } from '../../src/models/sam2/index.js';

/** The largest step between neighbouring numbers of bfloat16, relative to them. */
const STEP = 2 ** -7;

/** Cells of a memory whose rounding may turn, of 256; two are the most that was seen. */
const TURNED = 4;

/**
 * Graphs that are handed the model's own memories. Both round memories to bfloat16, and the graphs add in another order: where that
 * turns a rounding, a cell of a memory is a step off, which alone changes an object score of the golden clip by 2.1e-4. Without it the
 * graphs are as near to the reference as the model is. Memories that differ by more than such steps are listed.
 */
export class WithMemoriesOf implements TrackerModel {
  readonly wrong: string[] = [];
  readonly memory: TrackerModel['memory'];
  readonly imageSize: number;
  readonly pointerChannels: number;
  private readonly graphs: TrackerModel;
  private readonly model: TrackerModel;
  private readonly features = new Map<FrameInputs, FrameInputs>();

  constructor(graphs: TrackerModel, model: TrackerModel) {
    this.graphs = graphs;
    this.model = model;
    this.memory = graphs.memory;
    this.imageSize = graphs.imageSize;
    this.pointerChannels = graphs.pointerChannels;
  }

  async encode(image: RasterImage): Promise<FrameInputs> {
    const found = await this.graphs.encode(image);
    this.features.set(found, await this.model.encode(image));
    return found;
  }

  follow(features: FrameInputs, memory: ObjectMemory | undefined) {
    return this.both('follow', (model) => model.follow(this.featuresOf(model, features), memory));
  }

  mark(inputs: MarkInputs) {
    return this.both('mark', (model) => model.mark({ ...inputs, features: this.featuresOf(model, inputs.features) }));
  }

  take(features: FrameInputs, masks: tf.Tensor4D) {
    return this.both('take', (model) => model.take(this.featuresOf(model, features), masks));
  }

  async memorise(features: FrameInputs, former: FormerMask): Promise<tf.Tensor3D> {
    const [theirs, own] = [
      await this.graphs.memorise(features, former),
      await this.model.memorise(this.featuresOf(this.model, features), former),
    ];
    return this.ownMap('memorise', theirs, own);
  }

  settle(): Promise<void> {
    return this.model.settle();
  }

  dispose(): void {
    for (const features of this.features.values()) tf.dispose({ ...features });
  }

  private featuresOf(model: TrackerModel, features: FrameInputs): FrameInputs {
    return model === this.graphs ? features : (this.features.get(features) as FrameInputs);
  }

  private async both(what: string, compute: (model: TrackerModel) => Promise<ComputedObject>): Promise<ComputedObject> {
    const [found, { map, ...rest }] = [await compute(this.graphs), await compute(this.model)];
    tf.dispose({ ...rest });
    return { ...found, map: await this.ownMap(what, found.map, map) };
  }

  private async ownMap(what: string, theirs: tf.Tensor3D, own: tf.Tensor3D): Promise<tf.Tensor3D> {
    const [x, y] = [await theirs.data<'float32'>(), await own.data<'float32'>()];
    theirs.dispose();
    const largest = y.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const turned = [...y.keys()].filter((i) => x[i] !== y[i]);
    // Where a cell is nearly zero, the sum that was rounded is off by more than a step, but by nothing that counts.
    const far = turned.filter(
      (i) => Math.abs((x[i] as number) - (y[i] as number)) > STEP * Math.abs(y[i] as number) + 1e-5 * largest,
    );
    if (turned.length > TURNED || far.length > 0)
      this.wrong.push(`${what}: ${turned.length} cells, ${far.length} by more than a step`);
    return own;
  }
}
