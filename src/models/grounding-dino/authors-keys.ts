/**
 * Renames from the authors' names (left) to Hugging Face's, which this project uses.
 *
 * @see IDEA-Research/GroundingDINO, `groundingdino/models/GroundingDINO`; transformers' `convert_grounding_dino_to_hf.py`
 */

type Renames = readonly (readonly [theirs: string, ours: string])[];

const SWIN = 'model.backbone.conv_encoder.model';

/** Stages whose maps may have their own norm; the authors count them from 0, Hugging Face from 1. */
const STAGES = [0, 1, 2, 3];

const backbone: Renames = [
  ['patch_embed.proj', 'embeddings.patch_embeddings.projection'],
  ['patch_embed.norm', 'embeddings.norm'],
  ['layers.*.blocks.*.norm1', 'encoder.layers.*.blocks.*.layernorm_before'],
  ['layers.*.blocks.*.norm2', 'encoder.layers.*.blocks.*.layernorm_after'],
  ['layers.*.blocks.*.attn.proj', 'encoder.layers.*.blocks.*.attention.output.dense'],
  ['layers.*.blocks.*.mlp.fc1', 'encoder.layers.*.blocks.*.intermediate.dense'],
  ['layers.*.blocks.*.mlp.fc2', 'encoder.layers.*.blocks.*.output.dense'],
  ['layers.*.downsample.reduction', 'encoder.layers.*.downsample.reduction'],
  ['layers.*.downsample.norm', 'encoder.layers.*.downsample.norm'],
  ...STAGES.map((stage) => [`norm${stage}`, `hidden_states_norms.stage${stage + 1}`] as const),
];

const attentionTables: Renames = ['relative_position_bias_table', 'relative_position_index'].map(
  (name) => [`backbone.0.layers.*.blocks.*.attn.${name}`, `${SWIN}.encoder.layers.*.blocks.*.attention.self.${name}`] as const,
);

const encoderLayer: Renames = [
  ['layers.*.self_attn.*', 'deformable_layer.self_attn.*'],
  ['layers.*.norm1', 'deformable_layer.self_attn_layer_norm'],
  ['layers.*.linear1', 'deformable_layer.fc1'],
  ['layers.*.linear2', 'deformable_layer.fc2'],
  ['layers.*.norm2', 'deformable_layer.final_layer_norm'],
  ['text_layers.*.self_attn.out_proj', 'text_enhancer_layer.self_attn.out_proj'],
  ['text_layers.*.linear1', 'text_enhancer_layer.fc1'],
  ['text_layers.*.linear2', 'text_enhancer_layer.fc2'],
  ['text_layers.*.norm1', 'text_enhancer_layer.layer_norm_before'],
  ['text_layers.*.norm2', 'text_enhancer_layer.layer_norm_after'],
  ['fusion_layers.*.layer_norm_v', 'fusion_layer.layer_norm_vision'],
  ['fusion_layers.*.layer_norm_l', 'fusion_layer.layer_norm_text'],
  ['fusion_layers.*.attn.v_proj', 'fusion_layer.attn.vision_proj'],
  ['fusion_layers.*.attn.l_proj', 'fusion_layer.attn.text_proj'],
  ['fusion_layers.*.attn.values_v_proj', 'fusion_layer.attn.values_vision_proj'],
  ['fusion_layers.*.attn.values_l_proj', 'fusion_layer.attn.values_text_proj'],
  ['fusion_layers.*.attn.out_v_proj', 'fusion_layer.attn.out_vision_proj'],
  ['fusion_layers.*.attn.out_l_proj', 'fusion_layer.attn.out_text_proj'],
];

const decoderLayer: Renames = [
  ['cross_attn.*', 'encoder_attn.*'],
  ['norm1', 'encoder_attn_layer_norm'],
  ['ca_text.out_proj', 'encoder_attn_text.out_proj'],
  ['catext_norm', 'encoder_attn_text_layer_norm'],
  ['self_attn.out_proj', 'self_attn.out_proj'],
  ['norm2', 'self_attn_layer_norm'],
  ['linear1', 'fc1'],
  ['linear2', 'fc2'],
  ['norm3', 'final_layer_norm'],
];

/** Attention whose query, key and value weights are fused in the authors' files. */
const fusedAttention: Renames = [
  ['transformer.encoder.text_layers.*.self_attn', 'model.encoder.layers.*.text_enhancer_layer.self_attn'],
  ['transformer.decoder.layers.*.self_attn', 'model.decoder.layers.*.self_attn'],
  ['transformer.decoder.layers.*.ca_text', 'model.decoder.layers.*.encoder_attn_text'],
];

const PARTS = ['query', 'key', 'value'];

function within(theirs: string, ours: string, renames: Renames): Renames {
  return renames.map(([from, to]) => [`${theirs}.${from}.*`, `${ours}.${to}.*`] as const);
}

/** Conversion of the authors' `.pth` files to Hugging Face's names. */
export const groundingDinoAuthorsKeys = {
  name: "the authors' naming of Grounding DINO",
  sign: 'transformer.level_embed',
  renames: [
    ...within('backbone.0', SWIN, backbone),
    ...attentionTables,
    ['bert.**', 'model.text_backbone.**'],
    ['input_proj.**', 'model.input_proj_vision.**'],
    ['feat_map.*', 'model.text_projection.*'],
    ['transformer.level_embed', 'model.level_embed'],
    ['transformer.tgt_embed.weight', 'model.query_position_embeddings.weight'],
    ['transformer.enc_output.*', 'model.enc_output.*'],
    ['transformer.enc_output_norm.*', 'model.enc_output_norm.*'],
    ['transformer.enc_out_bbox_embed.**', 'model.encoder_output_bbox_embed.**'],
    ...within('transformer.encoder', 'model.encoder.layers.*', encoderLayer),
    ['transformer.encoder.fusion_layers.*.gamma_v', 'model.encoder.layers.*.fusion_layer.vision_param'],
    ['transformer.encoder.fusion_layers.*.gamma_l', 'model.encoder.layers.*.fusion_layer.text_param'],
    ...within('transformer.decoder.layers.*', 'model.decoder.layers.*', decoderLayer),
    ['transformer.decoder.norm.*', 'model.decoder.layer_norm.*'],
    ['transformer.decoder.ref_point_head.**', 'model.decoder.reference_points_head.**'],
    ['transformer.decoder.bbox_embed.**', 'model.decoder.bbox_embed.**'],
  ] satisfies Renames,
  fused: [
    ...['weight', 'bias'].map((kind) => ({
      theirs: `backbone.0.layers.*.blocks.*.attn.qkv.${kind}`,
      ours: PARTS.map((part) => `${SWIN}.encoder.layers.*.blocks.*.attention.self.${part}.${kind}`),
    })),
    ...fusedAttention.flatMap(([theirs, ours]) =>
      ['weight', 'bias'].map((kind) => ({
        theirs: `${theirs}.in_proj_${kind}`,
        ours: PARTS.map((part) => `${ours}.${part}.${kind}`),
      })),
    ),
  ],
} as const;

/** Unused keys of the authors' files: label embeddings for denoising training, left out of the published model. */
export const groundingDinoAuthorsUnusedKeys: readonly string[] = ['label_enc.weight'];
