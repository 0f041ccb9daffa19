/** Keys of the memory over video frames, as path patterns: read by `Sam2Video`, skipped by the image model alone. */
export const sam2MemoryKeys: readonly string[] = [
  'memory_*.**',
  'memory_temporal_positional_encoding',
  'mask_downsample.**',
  'object_pointer_proj.**',
  'temporal_positional_encoding_projection_layer.**',
  'no_memory_positional_encoding',
  'no_object_pointer',
  'occlusion_spatial_embedding_parameter',
];
