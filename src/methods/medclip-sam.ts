import { CamDetector } from '../infer/index.js';
import { clipAndSamConfigs, loadClipAndSam } from './clip-and-sam.js';
import type { MethodFacts, TextEntry } from './entry.js';

const facts = {
  name: 'medclip-sam',
  title: 'MedCLIP-SAM',
  takes: 'text',
  licence: { code: 'no licence file', weights: 'MIT; SAM Apache-2.0' },
  weights: {
    published: 'microsoft/BiomedCLIP-PubMedBERT_256-vit_base_patch16_224, and sam_vit_b_01ec64.pth',
    shortName: 'biomedclip,sam-vit-base',
    parts: ['BIOMEDCLIP', 'SAM'],
  },
  random: true,
  asPublished:
    'gradients are read where those of all patches are zero, so that how a sort treats ties chooses the 300 channels of gScoreCAM; the grey levels of a JET overlay are taken for salience, which fall again towards its maximum; and the map of the centre crop, which is all that CLIP sees, is stretched over the whole image',
  departedBy: 'authors',
} as const satisfies MethodFacts;

/** MedCLIP-SAM: salience of BiomedCLIP by gScoreCAM, a conditional random field, then SAM. */
export const medclipSam: TextEntry = {
  ...facts,
  configs: clipAndSamConfigs,
  create: (weights, { asPublished }) =>
    loadClipAndSam(facts, weights, { size: 'base', finder: (clip) => new CamDetector(clip, { asPublished }) }),
};
