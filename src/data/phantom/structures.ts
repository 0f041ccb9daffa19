import type { Rng } from '../../util/index.js';

/** Range of a uniformly distributed number. */
export type Range = readonly [low: number, high: number];

/** Sonographic appearance of a kind of structure. Levels are in dB relative to the surrounding tissue. */
export interface StructureKind {
  /** Its own name. */
  readonly name: string;
  /** Hypernyms, which may cover other structures too. */
  readonly hypernyms: readonly string[];
  /** Semi-width as a fraction of the image's shorter side. */
  readonly radius: Range;
  /** Semi-height over semi-width. */
  readonly aspect: Range;
  /** Maximum rotation in radians, either way. */
  readonly tilt: number;
  readonly irregularity: Range;
  readonly detail: number;
  readonly notch: Range;
  /** Interior level. */
  readonly level: Range;
  /** Level of the core, and its extent relative to the radius; 0 for none. */
  readonly core: { readonly level: Range; readonly reach: Range };
  /** Level of a thin rim. */
  readonly rim: Range;
  /** Width of the border's transition, in pixels. */
  readonly border: Range;
  /** Strength of slow variation inside. */
  readonly texture: Range;
  /** Maximum number of bright specks inside. */
  readonly specks: number;
  /** Attenuation (positive) or enhancement (negative) behind it, in dB per pixel of depth. */
  readonly attenuation: Range;
  /** Strength of regular stripes inside; 0 for none. */
  readonly stripes: Range;
}

const none: Range = [0, 0];
const solid = {
  tilt: 0.5,
  irregularity: [0, 0.06],
  detail: 5,
  notch: none,
  core: { level: none, reach: none },
  rim: none,
  border: [0.8, 2.5],
  texture: [1, 3],
  specks: 0,
  attenuation: none,
  stripes: none,
} as const;

const BREAST = ['breast lesion', 'lesion'] as const;

/** All kinds, by name. */
export const structureKinds = {
  cyst: {
    ...solid,
    name: 'cyst',
    hypernyms: BREAST,
    radius: [0.07, 0.2],
    aspect: [0.65, 1.05],
    level: [-38, -24],
    texture: [0, 1],
    attenuation: [-0.3, -0.08],
    border: [0.6, 1.4],
  },
  'benign lesion': {
    ...solid,
    name: 'benign lesion',
    hypernyms: [...BREAST, 'tumor', 'mass'],
    radius: [0.1, 0.32],
    aspect: [0.45, 0.8],
    level: [-20, -8],
    rim: [0, 5],
    irregularity: [0.01, 0.07],
  },
  'malignant lesion': {
    ...solid,
    name: 'malignant lesion',
    hypernyms: [...BREAST, 'tumor', 'mass'],
    radius: [0.09, 0.3],
    aspect: [0.7, 1.35],
    tilt: 1.2,
    level: [-26, -9],
    rim: [0, 6],
    irregularity: [0.08, 0.24],
    detail: 12,
    border: [1, 4],
    texture: [2, 5],
    specks: 8,
    attenuation: [0, 0.3],
  },
  kidney: {
    ...solid,
    name: 'kidney',
    hypernyms: ['organ'],
    radius: [0.26, 0.4],
    aspect: [0.42, 0.58],
    tilt: 0.4,
    notch: [0.15, 0.3],
    level: [-12, -6],
    core: { level: [6, 13], reach: [0.4, 0.55] },
    rim: [3, 8],
  },
  prostate: {
    ...solid,
    name: 'prostate',
    hypernyms: ['organ', 'gland'],
    radius: [0.22, 0.36],
    aspect: [0.65, 0.9],
    tilt: 0.2,
    level: [-9, -3],
    core: { level: [-6, -2], reach: [0.5, 0.7] },
    rim: [5, 10],
    irregularity: [0.01, 0.05],
  },
  muscle: {
    ...solid,
    name: 'muscle',
    hypernyms: [],
    radius: [0.45, 0.75],
    aspect: [0.16, 0.28],
    tilt: 0.18,
    level: [-10, -3],
    rim: [5, 10],
    stripes: [4, 8],
  },
  'thyroid nodule': {
    ...solid,
    name: 'thyroid nodule',
    hypernyms: ['nodule', 'lesion'],
    radius: [0.09, 0.22],
    aspect: [0.7, 1.05],
    level: [-7, 5],
    rim: [-12, -6],
    texture: [2, 4],
    specks: 3,
  },
  'lymph node': {
    ...solid,
    name: 'lymph node',
    hypernyms: ['node'],
    radius: [0.14, 0.26],
    aspect: [0.4, 0.6],
    tilt: 0.6,
    notch: [0, 0.15],
    level: [-18, -10],
    core: { level: [12, 20], reach: [0.4, 0.6] },
    border: [0.8, 2],
  },
} as const satisfies Record<string, StructureKind>;

/** Names of structures that phantoms can contain. */
export type StructureName = keyof typeof structureKinds;

/** Draws a number from a range. */
export function draw([low, high]: Range, rng: Rng): number {
  return rng.uniform(low, high);
}
