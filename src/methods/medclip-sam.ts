import type { MethodEntry } from './entry.js';

/** MedCLIP-SAM: saliency of BiomedCLIP by gScoreCAM, a CRF, then SAM. */
export const medclipSam: MethodEntry = {
  name: 'medclip-sam',
  title: 'MedCLIP-SAM',
  takes: 'text',
  licence: { code: 'no licence file', weights: 'MIT' },
  weights: { published: 'microsoft/BiomedCLIP-PubMedBERT_256-vit_base_patch16_224, and sam_vit_b_01ec64.pth' },
};
