/** The two ways of counting, side by side. */
export const protocols = ['strict', 'paper'] as const;
export type ProtocolName = (typeof protocols)[number];

/** What distances are measured in. */
export type DistanceUnit = 'mm' | 'px';

/**
 * One line of `per-image.csv`: a method, a protocol, an image and a thing that was asked for in it. Overlaps are fractions in
 * [0, 1].
 */
export interface TargetRow {
  readonly method: string;
  readonly protocol: ProtocolName;
  readonly dataset: string;
  readonly image: string;
  /** Patient or volume; the image itself where none is known. */
  readonly group: string;
  readonly file: string | undefined;
  /** The whole prompt, phrases separated by dots. */
  readonly prompt: string;
  /** What this line is about: a phrase, or `*` for all that the image shows. */
  readonly target: string;
  /** Whether the image shows it. Where it does not, only the score and the number of boxes mean something. */
  readonly shown: boolean;
  /** Shown, but nothing was found. */
  readonly missed: boolean;
  readonly dsc: number;
  readonly iou: number;
  /** The image's diagonal where nothing was found: no distance in the image is longer. */
  readonly hd95: number;
  readonly nsd: number;
  readonly unit: DistanceUnit;
  /** The detector's best score for it, below the threshold as well; 0 where there is no box at all. */
  readonly detectorScore: number;
  /** The masker's own estimate of the IoU of the best box's mask. */
  readonly maskerScore: number | undefined;
  /** Boxes that count. */
  readonly predicted: number;
  /** True instances, and how many of them a box finds that overlaps by half. */
  readonly instances: number;
  readonly found: number;
  /** IoU of the best box with the true box that it covers best. */
  readonly boxIou: number;
  /** Mean DSC over true instances and boxes too many, each instance paired with one mask; what has no partner counts 0. */
  readonly instanceDsc: number;
  /** DSC of what the masker makes of the true boxes, where there is a masker. */
  readonly dscGivenTrueBox: number | undefined;
}
