import { BODY_PARTS, MODALITIES, TRANSDUCERS } from './terms.js';

/** How the value of a kept attribute is read and checked. Nothing is copied: numbers are parsed, texts compared with a list. */
export type KeptRule =
  | { readonly vr: 'US' | 'UL' | 'SL' | 'FL' | 'FD' | 'DS' | 'IS' }
  | { readonly vr: 'CS'; readonly terms: readonly string[] }
  | { readonly vr: 'SQ'; readonly items: KeptRules };

/** Rules by tag in eight hexadecimal capitals. */
export type KeptRules = { readonly [tag: string]: KeptRule };

const US = { vr: 'US' } as const;
const UL = { vr: 'UL' } as const;
const SL = { vr: 'SL' } as const;
const FL = { vr: 'FL' } as const;
const FD = { vr: 'FD' } as const;
const DS = { vr: 'DS' } as const;
const IS = { vr: 'IS' } as const;
const terms = (...list: readonly string[]) => ({ vr: 'CS' as const, terms: list });

/** Attributes of an ultrasound region (PS3.3, C.8.5.5). */
const REGION: KeptRules = {
  '00186012': US, // Region Spatial Format
  '00186014': US, // Region Data Type
  '00186016': UL, // Region Flags
  '00186018': UL, // Region Location Min X0
  '0018601A': UL,
  '0018601C': UL,
  '0018601E': UL,
  '00186020': SL, // Reference Pixel X0
  '00186022': SL,
  '00186024': US, // Physical Units X Direction
  '00186026': US,
  '00186028': FD, // Reference Pixel Physical Value X
  '0018602A': FD,
  '0018602C': FD, // Physical Delta X
  '0018602E': FD,
  '00186030': UL, // Transducer Frequency
  '00186032': UL, // Pulse Repetition Frequency
  '00186034': FD, // Doppler Correction Angle
  '00186036': FD, // Steering Angle
  '00186039': SL, // Doppler Sample Volume X Position
  '0018603B': SL,
  '0018603D': SL, // TM-Line Position X0
  '0018603F': SL,
  '00186041': SL,
  '00186043': SL,
  '00186044': US, // Pixel Component Organization
  '00186046': UL, // Pixel Component Mask
  '00186048': UL, // Pixel Component Range Start
  '0018604A': UL,
  '0018604C': US, // Pixel Component Physical Units
  '0018604E': US, // Pixel Component Data Type
  '00186050': UL, // Number of Table Break Points
  '00186052': UL, // Table of X Break Points
  '00186054': FD,
  '00186056': UL, // Number of Table Entries
  '00186058': UL, // Table of Pixel Values
  '0018605A': FL, // Table of Parameter Values
};

/**
 * The attributes that an output may take from its source: what calibrates, times and displays the pixels. No other attribute is
 * read, so none of an unknown kind, private or nested, can get through. A test compares the list with the profile.
 */
export const KEPT: KeptRules = {
  '00080060': terms(...MODALITIES), // Modality
  '00080064': terms('DV', 'DI', 'DF', 'WSD', 'SD', 'SI', 'DRW', 'SYN'), // Conversion Type
  '00180015': terms(...BODY_PARTS), // Body Part Examined
  '00180040': IS, // Cine Rate
  '00180072': DS, // Effective Duration
  '00181063': DS, // Frame Time
  '00181065': DS, // Frame Time Vector
  '00181066': DS, // Frame Delay
  '00181164': DS, // Imager Pixel Spacing
  '00181242': IS, // Actual Frame Duration
  '00181244': US, // Preferred Playback Sequencing
  '00182010': DS, // Nominal Scanned Pixel Spacing
  '00182142': IS, // Start Trim
  '00182143': IS, // Stop Trim
  '00182144': IS, // Recommended Display Frame Rate
  '00185012': DS, // Depth of Focus
  '00185022': DS, // Mechanical Index
  '00185024': DS, // Bone Thermal Index
  '00185026': DS, // Cranial Thermal Index
  '00185027': DS, // Soft Tissue Thermal Index
  '00185050': IS, // Depth of Scan Field
  '00186011': { vr: 'SQ', items: REGION }, // Sequence of Ultrasound Regions
  '00186031': terms(...TRANSDUCERS), // Transducer Type
  '00200011': IS, // Series Number
  '00200013': IS, // Instance Number
  '00200060': terms('L', 'R'), // Laterality
  '00200062': terms('L', 'R', 'U', 'B'), // Image Laterality
  '00280014': US, // Ultrasound Color Data Present
  '00280030': DS, // Pixel Spacing
  '00280034': IS, // Pixel Aspect Ratio
  '00280A02': terms('GEOMETRY', 'FIDUCIAL'), // Pixel Spacing Calibration Type
  '00282110': terms('00', '01'), // Lossy Image Compression
  '00282112': DS, // Lossy Image Compression Ratio
  '00282114': terms('ISO_10918_1', 'ISO_14495_1', 'ISO_15444_1', 'ISO_13818_2', 'ISO_14496_10', 'ISO_23008_2'), // … Method
};

/** Attributes kept for grey values alone: how they are displayed. */
export const KEPT_OF_GREY: KeptRules = {
  '00281050': DS, // Window Center
  '00281051': DS, // Window Width
  '00281056': terms('LINEAR', 'LINEAR_EXACT', 'SIGMOID'), // VOI LUT Function
  '20500020': terms('IDENTITY', 'INVERSE'), // Presentation LUT Shape
};
