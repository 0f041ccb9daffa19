import type { SizePair } from './sizes.js';

/** The two evaluation protocols. */
export const protocols = ['strict', 'paper'] as const;
export type ProtocolName = (typeof protocols)[number];

/** Unit of distances. */
export type DistanceUnit = 'mm' | 'px';

/** One line of `per-image.csv`: a method, a protocol, an image and a target. Overlaps are fractions in [0, 1]. */
export interface TargetRow {
  readonly method: string;
  readonly protocol: ProtocolName;
  readonly dataset: string;
  readonly image: string;
  /** Patient or volume; the image itself if unknown. */
  readonly group: string;
  readonly file: string | undefined;
  /** The whole prompt, phrases separated by full stops. */
  readonly prompt: string;
  /** A phrase, or `*` for all structures in the image. */
  readonly target: string;
  /** Whether the target is present in the image. If not, only score and number of boxes are meaningful. */
  readonly shown: boolean;
  /** A false negative: present, but nothing was found. */
  readonly falseNegative: boolean;
  readonly dsc: number;
  readonly iou: number;
  /** The image diagonal if nothing was found, an upper bound of distances in the image. */
  readonly hd95: number;
  readonly nsd: number;
  readonly unit: DistanceUnit;
  /** Measures of the predicted and of the true mask; absent where nothing calibrates them, or distances were not asked for. */
  readonly sizes?: readonly SizePair[];
  /** The detector's best score for the target, even below the threshold; 0 without any box. */
  readonly detectorScore: number;
  /** The mask score of the best box. */
  readonly maskerScore: number | undefined;
  /** Number of boxes that count. */
  readonly predicted: number;
  /** Number of ground-truth instances, and how many are matched by a box with an IoU of at least 0.5. */
  readonly instances: number;
  readonly found: number;
  /** IoU of the best box with its closest ground-truth box. */
  readonly boxIou: number;
  /** Mean DSC over matched pairs, unmatched ground-truth instances and unmatched masks; unmatched ones count 0. */
  readonly instanceDsc: number;
  /** DSC of the masker's masks for the ground-truth boxes, if there is a masker. */
  readonly dscWithGroundTruthBox: number | undefined;
}
