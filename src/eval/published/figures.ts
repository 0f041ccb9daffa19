/** Mean and standard deviation in percent, as printed; the deviation is printed without decimals. */
export interface PublishedScore {
  readonly dsc: number;
  readonly dscStd?: number;
  readonly iou?: number;
  readonly iouStd?: number;
  /** Known error in the printed figure. */
  readonly error?: string;
}

const score = (dsc: number, dscStd: number, iou: number, iouStd: number, error?: string): PublishedScore => ({
  dsc,
  dscStd,
  iou,
  iouStd,
  ...(error !== undefined && { error }),
});

const SWAPPED =
  'printed IoU exceeds DSC, which no mean over images can; its two figures are those of TNSCUI swapped, so one of the two rows is a copy mistake';

/** The paper's own method, by dataset name (tables 3 and 4). @see arXiv 2506.23903 */
export const publishedOurs: Readonly<Record<string, PublishedScore>> = {
  BrEaST: score(76.65, 23, 66.24, 23),
  BUID: score(82.92, 24, 75.83, 25),
  BUSUC: score(91.68, 6, 85.16, 9),
  'BUS-UCLM': score(76.74, 24, 66.75, 24),
  BUSB: score(91.04, 8, 84.3, 11),
  BUSI: score(77.79, 26, 69.29, 27),
  STU: score(87.89, 6, 78.87, 9),
  S1: score(93.37, 5, 87.96, 8),
  TN3K: score(72.2, 26, 61.77, 26),
  TG3K: score(80.32, 9, 68.04, 12),
  '105US': score(91.32, 0, 84.03, 0),
  AUL: score(44.02, 36, 35.79, 33),
  MicroSeg: score(88.56, 13, 81.17, 15),
  RegPro: score(70.77, 31, 61.63, 29),
  kidneyUS: score(73.49, 16, 60.48, 19),
  BUSBRA: score(79.1, 18, 86.44, 18, SWAPPED),
  TNSCUI: score(
    86.44,
    17,
    79.1,
    20,
    'the same two figures stand, swapped, in the row of BUSBRA: one of the two rows is a copy mistake',
  ),
  Luminous: score(64.99, 24, 51.96, 22),
};

/** The printed averages, which are unweighted means of the datasets' rows. */
export const publishedAverages = {
  ablation: { dsc: 73.99, iou: 65.66 },
  seen: { dsc: 78.97, iou: 71.13, error: 'the printed rows give DSC 79.92 and IoU 71.15' },
  unseen: { dsc: 72.83, iou: 68.53, error: 'the printed rows give DSC 76.84 and IoU 72.50' },
} as const satisfies Record<string, PublishedScore>;

/**
 * Cases where the paper's tables give another method a better score than its own, contrary to its claim to be best on all 18
 * sets.
 */
export const publishedOthers: readonly { readonly dataset: string; readonly method: string; readonly dsc: number }[] = [
  { dataset: 'BUSI', method: 'BiomedParse', dsc: 89.39 },
  { dataset: 'STU', method: 'MedCLIP-SAMv2', dsc: 90.11 },
  { dataset: 'TN3K', method: 'SAMUS', dsc: 80.96 },
  { dataset: 'TG3K', method: 'SAMUS', dsc: 82.95 },
  { dataset: 'Luminous', method: 'SAMUS', dsc: 65.36 },
];

/** A prompt of the kidney study and its score (table 5). */
export interface PublishedPrompt extends PublishedScore {
  readonly prompt: string;
}

const prompt = (text: string, ...figures: [number, number, number, number]): PublishedPrompt => ({
  prompt: text,
  ...score(...figures),
});

/** Table 5. In the published data, cortex, medulla and central echo complex share one ground truth, the union of regions. */
export const publishedKidneyPrompts: Readonly<Record<string, readonly PublishedPrompt[]>> = {
  cortex: [
    prompt('segment kidney cortex', 70.01, 14, 55.46, 15),
    prompt('delineate cortex', 72.04, 11, 57.32, 12),
    prompt('segment renal cortex', 71.95, 10, 57.14, 12),
    prompt('cortical region of the kidney', 72.55, 8, 57.48, 9),
    prompt('outline kidney cortical tissue', 70.18, 13, 55.52, 14),
  ],
  capsule: [
    prompt('segment kidney capsule', 91.74, 5, 85.1, 8),
    prompt('delineate renal capsule', 91.71, 5, 85.05, 8),
    prompt('outline kidney capsule boundary', 89.72, 9, 82.31, 12),
    prompt('capsular layer of the kidney', 85.44, 14, 76.93, 19),
    prompt('identify renal encapsulation', 91.17, 5, 84.18, 8),
  ],
  medulla: [
    prompt('segment kidney medulla', 69.85, 17, 55.77, 17),
    prompt('delineate renal medullary region', 69.01, 17, 54.91, 17),
    prompt('outline medulla of the kidney', 69.69, 12, 54.69, 13),
    prompt('medullary area of kidney', 68.82, 15, 54.35, 17),
    prompt('identify renal medulla', 70.32, 16, 56.2, 16),
  ],
  'central echo complex': [
    prompt('segment central echo complex of kidney', 67.98, 15, 53.37, 16),
    prompt('delineate kidney central echo complex', 68.45, 14, 53.77, 16),
    prompt('renal central echo complex', 67.23, 15, 52.5, 16),
    prompt('outline central echoes of kidney', 65.67, 14, 50.52, 16),
    prompt('delineate renal central echo complex', 67.56, 16, 52.97, 17),
  ],
};

/** Table 6: seconds per image, on the paper's device. */
export const publishedRuntime = { seconds: 0.33, device: 'NVIDIA Titan V 12 GB', note: 'average of 10 runs' } as const;
