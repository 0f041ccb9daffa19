import type { LoraSpec } from './spec.js';

/** Feed-forward layers of the feature enhancer, for both image and text. */
const ENHANCER_FFN = [
  'model.encoder.layers.*.deformable_layer.{fc1,fc2}',
  'model.encoder.layers.*.text_enhancer_layer.{fc1,fc2}',
];

const DECODER_DEFORMABLE = ['model.decoder.layers.*.encoder_attn.{sampling_offsets,attention_weights,value_proj,output_proj}'];

/** Attention of SAM 2's mask decoder. */
const MASK_DECODER_ATTENTION = [
  'mask_decoder.transformer.layers.*.{self_attn,cross_attn_token_to_image,cross_attn_image_to_token}.{q_proj,k_proj,v_proj,o_proj}',
  'mask_decoder.transformer.final_attn_token_to_image.{q_proj,k_proj,v_proj,o_proj}',
];

/** Attention of SAM 2 to its memories of other frames. */
const MEMORY_ATTENTION = ['memory_attention.layers.*.{self_attn,cross_attn_image}.{q_proj,k_proj,v_proj,o_proj}'];

const DECODER_FFN = ['model.decoder.layers.*.{fc1,fc2}'];

/** Called the feature map by the authors. */
const TEXT_PROJECTION = ['model.text_projection'];

/** Named sets of layers: for Grounding DINO, and for SAM 2. */
export const loraPresets: Readonly<Record<string, LoraSpec>> = {
  /** As described in the paper's text, with the rank that yields its share of trained parameters, 1.7 %. */
  paper: {
    rank: 11,
    alpha: 11,
    targetModules: [
      ...ENHANCER_FFN,
      'model.encoder.layers.*.fusion_layer.attn.{vision_proj,text_proj,values_vision_proj,values_text_proj,out_vision_proj,out_text_proj}',
      ...DECODER_DEFORMABLE,
      'model.decoder.layers.*.encoder_attn_text.{query,key,value,out_proj}',
      ...DECODER_FFN,
      'model.text_backbone.encoder.layer.*.attention.output.dense',
      'model.text_backbone.encoder.layer.*.{intermediate,output}.dense',
      ...TEXT_PROJECTION,
    ],
    modulesToSave: ['bbox_embed.*'],
  },
  /**
   * As trained by the published code: 2,991,108 parameters. Its adapters of attention outputs had no effect there, because
   * torch's attention reads the weight without calling the layer; here they do.
   */
  'paper-code': {
    rank: 32,
    alpha: 32,
    targetModules: [
      ...ENHANCER_FFN,
      'model.encoder.layers.*.text_enhancer_layer.self_attn.out_proj',
      ...DECODER_DEFORMABLE,
      'model.decoder.layers.*.{encoder_attn_text,self_attn}.out_proj',
      ...DECODER_FFN,
      'bbox_embed.*.layers.{0,1}',
      ...TEXT_PROJECTION,
    ],
    modulesToSave: ['bbox_embed.*.layers.2'],
  },
  /** For the masker. The paper leaves SAM 2 unchanged. */
  'mask-decoder': { rank: 8, alpha: 8, targetModules: MASK_DECODER_ATTENTION },
  /** For a tracker, whose masker stays as it is. */
  'memory-attention': { rank: 8, alpha: 8, targetModules: MEMORY_ATTENTION },
};
