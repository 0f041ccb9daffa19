import { tf } from '../../backend/index.js';
import {
  Embedding,
  type ForwardContext,
  LayerNorm,
  Linear,
  Module,
  normal,
  type Parameter,
  xavierUniform,
} from '../../nn/index.js';
import { Bert } from '../bert/index.js';
import { EfficientNet } from '../efficientnet/index.js';
import { Swin } from '../swin/index.js';
import type { BackboneConfig, GroundingDinoConfig } from './config.js';
import { Decoder } from './decoder.js';
import { EncoderLayer, type Features } from './encoder-layer.js';
import { ContrastiveEmbedding, MlpPredictionHead } from './heads.js';
import { type CellLogits, type ProposalHead, type Selection, scoreCells, selectQueries } from './query-selection.js';
import type { TextGeometry } from './text-geometry.js';
import { type VisionGeometry, visionGeometry } from './vision-geometry.js';
import { type InputProjection, inputProjections, LearnedPositionEmbedding } from './vision-projection.js';

/** Image features, independent of the prompt. */
export interface EncodedImage {
  /** [B, S, d] f32: the cells of all levels. */
  readonly features: tf.Tensor3D;
  /** [B or 1, S, d] f32: position encodings of the cells. */
  readonly positions: tf.Tensor3D;
  readonly geometry: VisionGeometry;
}

/** Prompt features, independent of the image. */
export interface EncodedText {
  /** [B, T, d] f32. */
  readonly features: tf.Tensor3D;
  readonly geometry: TextGeometry;
}

/** The detector without its box heads: `model` in checkpoints. */
export class GroundingDinoModel extends Module {
  readonly decoder: Decoder;
  private readonly config: GroundingDinoConfig;
  private readonly backbone: Swin | EfficientNet;
  private readonly inputProjection: InputProjection[];
  private readonly textBackbone: Bert;
  private readonly textProjection: Linear;
  private readonly encoderLayers: EncoderLayer[];
  private readonly levelEmbed: Parameter;
  private readonly learnedPositions: LearnedPositionEmbedding | undefined;
  private readonly queryPositionEmbeddings: Embedding | undefined;
  private readonly referencePoints: Embedding | undefined;
  private readonly proposalHead: ProposalHead | undefined;

  constructor(config: GroundingDinoConfig) {
    super();
    this.config = config;
    const { dModel, numQueries, numFeatureLevels, twoStage } = config;
    this.backbone = this.child('backbone.conv_encoder.model', backboneOf(config.backboneConfig));
    this.learnedPositions =
      config.positionEmbeddingType === 'learned'
        ? this.child('backbone.position_embedding', new LearnedPositionEmbedding(dModel))
        : undefined;
    this.inputProjection = this.childList('input_proj_vision', inputProjections(config, this.backbone.channels));
    this.textBackbone = this.child('text_backbone', new Bert(config.textConfig));
    const fromText = new Linear(config.textConfig.hiddenSize, dModel, { weightInit: xavierUniform });
    this.textProjection = this.child('text_projection', fromText);
    this.queryPositionEmbeddings =
      config.embeddingInitTarget || !twoStage
        ? this.child('query_position_embeddings', new Embedding(numQueries, dModel, 1))
        : undefined;
    const layers = Array.from({ length: config.encoderLayers }, () => new EncoderLayer(config));
    this.encoderLayers = this.childList('encoder.layers', layers);
    this.decoder = this.child('decoder', new Decoder(config));
    this.levelEmbed = this.parameter('level_embed', [numFeatureLevels, dModel], { init: normal(1) });
    this.proposalHead = twoStage ? this.makeProposalHead() : undefined;
    this.referencePoints = twoStage ? undefined : this.child('reference_points', new Embedding(numQueries, 4, 1));
  }

  private makeProposalHead(): ProposalHead {
    const { dModel, layerNormEps } = this.config;
    return {
      output: this.child('enc_output', new Linear(dModel, dModel, { weightInit: xavierUniform })),
      norm: this.child('enc_output_norm', new LayerNorm(dModel, layerNormEps)),
      bboxEmbed: this.child('encoder_output_bbox_embed', new MlpPredictionHead(dModel, dModel, 4, 3)),
      classEmbed: this.child('encoder_output_class_embed', new ContrastiveEmbedding(this.config)),
    };
  }

  /** Backbone and projections: everything independent of the prompt. */
  encodeImage(pixelValues: tf.Tensor4D, pixelMask: tf.Tensor3D | undefined, context: ForwardContext): EncodedImage {
    const maps = this.backbone.forward(pixelValues, context); // [B, h, w, C] each
    const geometry = visionGeometry(pixelMask, this.spatialShapes(maps), this.config);
    return { ...this.project(maps, geometry, context), geometry };
  }

  /** Text encoder and projection: everything independent of the image. */
  encodeText(geometry: TextGeometry, tokenTypeIds: tf.Tensor2D, context: ForwardContext): EncodedText {
    const { inputIds, selfAttention: attentionMask, positionIds } = geometry;
    const words = this.textBackbone.forward({ inputIds, attentionMask, tokenTypeIds, positionIds }, context); // [B, T, hidden]
    const { features } = context.block(this.textProjection, { words }, (x) => ({
      features: this.textProjection.forward(x.words) as tf.Tensor3D, // [B, T, d]
    }));
    return { features, geometry };
  }

  /** Feature enhancer: fuses image and text features. */
  enhance(image: EncodedImage, text: EncodedText, context: ForwardContext): Features {
    const start: Features = { vision: image.features, text: text.features };
    return this.encoderLayers.reduce(
      (x, layer) => layer.forward(x, image.positions, image.geometry, text.geometry, context),
      start,
    );
  }

  /** The sizes of the maps, then those of the extra levels, each half of the previous one, rounded up. */
  private spatialShapes(maps: readonly tf.Tensor4D[]): [number, number][] {
    const shapes = maps.map(({ shape: [, h, w] }): [number, number] => [h, w]);
    while (shapes.length < this.config.numFeatureLevels) {
      const [h, w] = shapes[shapes.length - 1] as [number, number];
      shapes.push([Math.ceil(h / 2), Math.ceil(w / 2)]);
    }
    return shapes;
  }

  /** Projects all levels to the model's width, flattens and concatenates them, with position encodings of cell and level. */
  private project(
    maps: readonly tf.Tensor4D[],
    { positions, spatialShapes }: VisionGeometry,
    context: ForwardContext,
  ): Omit<EncodedImage, 'geometry'> {
    const inputs: Record<string, tf.Tensor> = Object.fromEntries(maps.map((map, i) => [`map${i}`, map]));
    const owners: Module[] = [...this.inputProjection, ...(this.learnedPositions ? [this.learnedPositions] : [])];
    const { features } = context.block(owners, inputs, (x) => {
      const levels: tf.Tensor4D[] = [];
      let source = x['map0'] as tf.Tensor4D;
      for (const [i, projection] of this.inputProjection.entries()) {
        // The first extra level is computed from the last map, each further one from the level before.
        source = i < maps.length ? (x[`map${i}`] as tf.Tensor4D) : i === maps.length ? source : (levels[i - 1] as tf.Tensor4D);
        levels.push(projection.forward(source));
      }
      return {
        features: tf.concat(
          levels.map((map) => map.reshape([map.shape[0], -1, this.config.dModel])),
          1,
        ) as tf.Tensor3D,
      };
    });
    return { features, positions: this.place(positions, spatialShapes, context) };
  }

  private place(
    sines: tf.Tensor3D | undefined,
    spatialShapes: readonly (readonly [number, number])[],
    context: ForwardContext,
  ): tf.Tensor3D {
    const level = spatialShapes.flatMap(([h, w], l) => Array<number>(h * w).fill(l));
    const inputs = { level: tf.tensor1d(level, 'int32'), sines: sines as tf.Tensor | undefined };
    const owner = new PositionOwner(this.levelEmbed, this.learnedPositions);
    return context.block(owner, inputs, (x) => {
      const places =
        x.sines ??
        tf.concat(
          spatialShapes.map(([h, w]) => owner.learned(h, w)),
          1,
        ); // [B or 1, S, d]
      return { positions: tf.add(places, tf.gather(this.levelEmbed.value, x.level)) as tf.Tensor3D };
    }).positions;
  }

  /** The first stage; undefined without `two_stage`. */
  select(features: Features, vision: VisionGeometry, text: TextGeometry, context: ForwardContext): Selection | undefined {
    if (this.proposalHead === undefined) return undefined;
    return selectQueries(this.proposalHead, features, vision, text, this.config.numQueries, context);
  }

  /** The first stage's logits at every cell; undefined without `two_stage`. */
  scoreCells(features: Features, vision: VisionGeometry, context: ForwardContext): CellLogits | undefined {
    return this.proposalHead && scoreCells(this.proposalHead, features, vision, context);
  }

  /** Initial decoder inputs: [B, Q, d] queries and [B, Q, 4] references. Those from the first stage are detached. */
  start(
    selection: Selection | undefined,
    batch: number,
    context: ForwardContext,
  ): { queries: tf.Tensor3D; references: tf.Tensor3D } {
    const { numQueries, dModel } = this.config;
    const rows = (table: Embedding, width: number) =>
      context.block(table, {}, () => ({
        y: tf.mul(table.weight.value.reshape([1, numQueries, width]), tf.ones([batch, 1, 1])) as tf.Tensor3D,
      })).y;
    const queries = this.queryPositionEmbeddings ? rows(this.queryPositionEmbeddings, dModel) : selection?.objects;
    const references = selection ? context.detach(selection.predBoxes) : this.learnedReferences(batch, context);
    if (queries === undefined) throw new Error('GroundingDino: neither learned nor selected queries');
    return { queries: this.queryPositionEmbeddings ? queries : context.detach(queries), references };
  }

  private learnedReferences(batch: number, context: ForwardContext): tf.Tensor3D {
    const table = this.referencePoints as Embedding;
    return context.block(table, {}, () => ({
      y: tf.sigmoid(tf.mul(table.weight.value.reshape([1, -1, 4]), tf.ones([batch, 1, 1]))) as tf.Tensor3D,
    })).y;
  }
}

function backboneOf(backbone: BackboneConfig): Swin | EfficientNet {
  return backbone.kind === 'swin' ? new Swin(backbone.config) : new EfficientNet(backbone.config);
}

/** Lists the parameters of the position block: the model's own level vectors, and the learned tables. */
class PositionOwner extends Module {
  private readonly tables: LearnedPositionEmbedding | undefined;

  constructor(levelEmbed: Parameter, tables: LearnedPositionEmbedding | undefined) {
    super();
    this.adopt('level_embed', levelEmbed);
    this.tables = tables && this.child('position_embedding', tables);
  }

  learned(h: number, w: number): tf.Tensor3D {
    if (this.tables === undefined) throw new Error('GroundingDino: there are no learned positions');
    return this.tables.forward(h, w);
  }
}
