import type { Range, StructureName } from './structures.js';

/** Distribution of phantoms: one probe, one scanner, one population. */
export interface PhantomDomain {
  readonly name: string;
  /** The structures that may appear, with relative frequencies. */
  readonly structures: Partial<Record<StructureName, number>>;
  /** Probabilities of 0, 1, 2 and 3 objects per image. */
  readonly counts: readonly number[];
  /** Fraction of images with a sector-shaped field of view. */
  readonly sector: number;
  /** Width of the point-spread function in pixels of a 128-pixel image, across and along the beam. */
  readonly lateral: Range;
  readonly axial: Range;
  /** Dynamic range in dB, from black to white. */
  readonly dynamicRange: Range;
  /** Brightness of the reference level, 0 to 1. */
  readonly gain: Range;
  /** Attenuation in dB from top to bottom. */
  readonly depthLoss: Range;
  /** Exponent on the displayed brightness. */
  readonly gamma: Range;
  /** Probability that the prompt uses a hypernym, if there is one. */
  readonly hypernyms: number;
  /** Probability of prompting for each absent structure. */
  readonly negatives: number;
}

const standard: PhantomDomain = {
  name: 'standard',
  structures: {
    cyst: 2,
    'benign lesion': 4,
    'malignant lesion': 4,
    kidney: 1.5,
    prostate: 1.5,
    muscle: 1.2,
    'thyroid nodule': 1.2,
  },
  counts: [0.03, 0.62, 0.25, 0.1],
  sector: 0.25,
  lateral: [0.7, 1.9],
  axial: [0.45, 0.9],
  dynamicRange: [45, 75],
  gain: [0.32, 0.56],
  depthLoss: [0, 16],
  gamma: [0.85, 1.5],
  hypernyms: 0.45,
  negatives: 0.3,
};

/** A different probe (coarser speckle, wider field), different gain, and a structure that `standard` does not have. */
const shifted: PhantomDomain = {
  ...standard,
  name: 'shifted',
  structures: { 'lymph node': 5, 'benign lesion': 2, cyst: 1, kidney: 1.5 },
  counts: [0, 0.75, 0.25],
  sector: 0.85,
  lateral: [1.7, 2.5],
  axial: [0.8, 1.2],
  dynamicRange: [40, 52],
  gain: [0.48, 0.64],
  hypernyms: 0,
  negatives: 0.25,
};

/** By name. */
export const phantomDomains: Readonly<Record<string, PhantomDomain>> = { standard, shifted };
