/**
 * The two namings of published weights: open_clip's, which this project uses too, and that of the conversion to Hugging Face's
 * form (`chuhac/BiomedCLIP-vit-bert-hf`), in which MedCLIP-SAMv2 publishes its fine-tuned weights.
 */

/** Blocks that a file may have. */
const MOST_BLOCKS = 256;

/** The naming of this project. Its files come without `config.json` and are recognised by a tensor. */
export const biomedClipOpenClipKeys = {
  name: 'the naming of open_clip',
  sign: 'visual.trunk.cls_token',
  renames: [],
  fused: [],
} as const;

const BLOCK = ['vision_model.encoder.layers.*', 'visual.trunk.blocks.*'] as const;
const LAYER = ['text_model.encoder.layers.*', 'text.transformer.encoder.layer.*'] as const;

function within([theirs, ours]: readonly [string, string], renames: readonly (readonly [string, string])[]) {
  return renames.map(([from, to]) => [`${theirs}.${from}`, `${ours}.${to}`] as const);
}

/** Hugging Face has one matrix for each of queries, keys and values of the image encoder; open_clip stacks them. */
const stacked = Array.from({ length: MOST_BLOCKS }, (_, i) => i).flatMap((i) =>
  ['weight', 'bias'].map((kind) => ({
    theirs: ['q_proj', 'k_proj', 'v_proj'].map((part) => `vision_model.encoder.layers.${i}.self_attn.${part}.${kind}`),
    ours: `visual.trunk.blocks.${i}.attn.qkv.${kind}`,
  })),
);

/** Conversion of Hugging Face's names. */
export const biomedClipHuggingFaceKeys = {
  name: "Hugging Face's naming of BiomedCLIP",
  // Other CLIPs have a single matrix, text_projection.weight.
  sign: 'text_projection.fc1.weight',
  renames: [
    ['vision_model.embeddings.class_embedding', 'visual.trunk.cls_token'],
    ['vision_model.embeddings.position_embedding.weight', 'visual.trunk.pos_embed'],
    ['vision_model.embeddings.patch_embedding.*', 'visual.trunk.patch_embed.proj.*'],
    ...within(BLOCK, [
      ['layer_norm1.*', 'norm1.*'],
      ['layer_norm2.*', 'norm2.*'],
      ['self_attn.out_proj.*', 'attn.proj.*'],
      ['mlp.*.*', 'mlp.*.*'],
    ]),
    ['vision_model.post_layernorm.*', 'visual.trunk.norm.*'],
    ['visual_projection.*', 'visual.head.proj.*'],
    ['text_model.embeddings.token_embedding.*', 'text.transformer.embeddings.word_embeddings.*'],
    ['text_model.embeddings.position_embedding.*', 'text.transformer.embeddings.position_embeddings.*'],
    ['text_model.embeddings.token_type_embedding.*', 'text.transformer.embeddings.token_type_embeddings.*'],
    ['text_model.embeddings.layer_norm.*', 'text.transformer.embeddings.LayerNorm.*'],
    ...within(LAYER, [
      ['self_attn.q_proj.*', 'attention.self.query.*'],
      ['self_attn.k_proj.*', 'attention.self.key.*'],
      ['self_attn.v_proj.*', 'attention.self.value.*'],
      ['self_attn.out_proj.*', 'attention.output.dense.*'],
      ['layer_norm1.*', 'attention.output.LayerNorm.*'],
      ['mlp.fc1.*', 'intermediate.dense.*'],
      ['mlp.fc2.*', 'output.dense.*'],
      ['layer_norm2.*', 'output.LayerNorm.*'],
    ]),
    ['text_projection.fc1.*', 'text.proj.0.*'],
    ['text_projection.fc2.*', 'text.proj.2.*'],
  ],
  fused: [],
  stacked,
  unsqueezed: [
    { ours: 'visual.trunk.cls_token', axes: 2 },
    { ours: 'visual.trunk.pos_embed', axes: 1 },
  ],
} as const;

/** Unused keys: indices of positions that earlier versions saved, and a pooling layer that no output depends on. */
export const biomedClipUnusedKeys: readonly string[] = [
  '{text_model,vision_model}.embeddings.position_ids',
  'text.transformer.embeddings.position_ids',
  'text.transformer.pooler.**',
];
