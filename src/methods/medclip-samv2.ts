import { LargestComponentMasker, SaliencyDetector } from '../infer/index.js';
import { clipAndSamConfigs, loadClipAndSam } from './clip-and-sam.js';
import type { MethodFacts, TextEntry } from './entry.js';

const facts = {
  name: 'medclip-samv2',
  title: 'MedCLIP-SAMv2',
  takes: 'text',
  licence: { code: 'MIT', weights: 'not stated' },
  // Not a dataset of the comparison; but the settings of the bottleneck were chosen on images of the breast, BUSI's among them.
  trainedOn: {
    datasets: ['MedPix'],
    source: 'its repository, HealthX-Lab/MedCLIP-SAMv2: README.md and the script of its fine-tuning',
  },
  weights: {
    published:
      'pytorch_model.bin on Google Drive, with the tokenizer of BiomedCLIP beside it or downloaded, and sam_vit_h_4b8939.pth',
    shortName: 'medclip-samv2-biomedclip,sam-vit-huge',
    parts: ['BIOMEDCLIP', 'SAM'],
  },
  random: true,
  asPublished:
    'the map of the centre crop, which is all that CLIP sees, is stretched over the whole image, which is wrong for images that are not square',
  departedBy: 'authors',
} as const satisfies MethodFacts;

/** MedCLIP-SAMv2: saliency of a fine-tuned BiomedCLIP by M2IB, then SAM. */
export const medclipSamV2: TextEntry = {
  ...facts,
  configs: clipAndSamConfigs,
  create: (weights, { asPublished }) =>
    loadClipAndSam(facts, weights, {
      size: 'huge',
      finder: (clip) => new SaliencyDetector(clip, { asPublished }),
      masker: (sam) => new LargestComponentMasker(sam),
    }),
};
