import type { MethodEntry } from './entry.js';

/** MedCLIP-SAMv2: saliency of a fine-tuned BiomedCLIP by M2IB, then SAM. */
export const medclipSamV2: MethodEntry = {
  name: 'medclip-samv2',
  title: 'MedCLIP-SAMv2',
  takes: 'text',
  licence: { code: 'MIT', weights: 'not stated' },
  weights: { published: 'pytorch_model.bin on Google Drive, and sam_vit_h_4b8939.pth' },
};
