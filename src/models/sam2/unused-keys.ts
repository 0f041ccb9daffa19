/** Keys of published `sam2_video` checkpoints that belong to the memory over video frames, as path patterns. */
export const sam2UnusedKeys: readonly string[] = [
  'memory_*.**',
  'memory_*',
  'mask_downsample.**',
  'object_pointer_proj.**',
  'temporal_positional_encoding_projection_layer.**',
  'no_memory_positional_encoding',
  'no_object_pointer',
  'occlusion_spatial_embedding_parameter',
];
