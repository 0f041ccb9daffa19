import type { DicomElements } from '../dicom/index.js';
import type { BinaryMask } from '../imaging/index.js';
import type { MeasuresFields } from '../measure/index.js';
import type { Identity } from './identity/index.js';
import type { PhraseCodes } from './phrase-codes.js';

/** The DICOM instance that was segmented, as outputs refer to it. All identifiers are those to be written: see {@link Identity}. */
export interface SourceInstance {
  /** Names the file in errors. */
  readonly where: string;
  readonly sopClass: string;
  readonly sopInstance: string;
  readonly series: string;
  readonly study: string;
  readonly rows: number;
  readonly columns: number;
  readonly frames: number;
  /** Whether it states a number of frames: references then name frames. */
  readonly multiframe: boolean;
  /** Of the source in its series; 1 where it has none. */
  readonly instanceNumber: number;
  /** How its pixels were compressed with losses, if they were. */
  readonly lossy?: { readonly ratios: readonly number[]; readonly methods: readonly string[] } | undefined;
  /** Of paired structures, if the file states it. */
  readonly laterality?: 'L' | 'R' | undefined;
  /** Patient and study, as outputs have them: of the source if identity is kept, else replaced or empty. */
  readonly patientAndStudy: DicomElements;
}

/** One object, which becomes a segment. */
export interface SegmentedObject {
  /** What was asked for; coded by {@link PhraseCodes}. */
  readonly phrase: string;
  /** Distinguishes objects of a phrase, as in `thyroid nodule 2`; the same for an object in all frames. */
  readonly label: string;
  /** The frames that show it, in order. */
  readonly frames: readonly ObjectOnFrame[];
}

/** An object on one frame of its source. */
export interface ObjectOnFrame {
  /** From 0. */
  readonly frame: number;
  /** Of the source's size. */
  readonly mask: BinaryMask;
  /** Confidence of the detector in [0, 1]. */
  readonly score?: number | undefined;
  /** For the report; an object without them is not reported on this frame. */
  readonly measures?: MeasuresFields | undefined;
}

/** A volume from two planes by the ellipsoid formula. */
export interface PlaneVolume {
  /** What was asked for; coded by {@link PhraseCodes}. */
  readonly phrase: string;
  /** Millilitres. */
  readonly ml: number;
  readonly diametersMm: readonly [length: number, width: number, height: number];
  /** The diameter that both planes show, in the first over that in the second. */
  readonly agreement: number;
  /** The frames that show the planes, numbered from 0. */
  readonly planes: readonly [
    longitudinal: { readonly source: SourceInstance; readonly frame: number },
    transverse: { readonly source: SourceInstance; readonly frame: number },
  ];
}

/** How masks are stored: a bit plane for each segment, or one plane of segment numbers, in which segments cannot overlap. */
export const segmentationForms = ['binary', 'labelmap'] as const;
/** A form of segmentation: `binary` or `labelmap`. */
export type SegmentationForm = (typeof segmentationForms)[number];

/** The program and models that made the masks. */
export interface Algorithm {
  /** Names the models: `grounding-dino-tiny, sam2.1-hiera-tiny`. */
  readonly name: string;
  readonly version: string;
  /** Settings that results depend on, as in `threshold=0.3`. */
  readonly parameters?: string | undefined;
}

/** What segmentations and reports have in common. */
export interface EvidenceOptions {
  readonly source: SourceInstance;
  /** Objects in the order of their segments. A segmentation needs at least one. */
  readonly objects: readonly SegmentedObject[];
  readonly algorithm: Algorithm;
  readonly codes: PhraseCodes;
  readonly identity: Identity;
  /**
   * Distinguishes results of one source: a hash of settings and models. The same source, identity and run give the same UIDs, so
   * that what is stored twice is stored once.
   */
  readonly run: string;
  /** When it was made. Default: now, or a fixed date where identity is replaced, as the date would tell that of the study. */
  readonly date?: Date;
}

/** An encoded DICOM instance: the bytes of its file, and what refers to it needs. */
export interface EncodedInstance {
  readonly sopClass: string;
  readonly sopInstance: string;
  readonly series: string;
  readonly study: string;
  readonly bytes: Uint8Array;
}

/** An encoded segmentation. */
export interface EncodedSegmentation extends EncodedInstance {
  readonly form: SegmentationForm;
  /** The segment of each object, from 1, in the order of the objects. */
  readonly segmentNumbers: readonly number[];
  /**
   * The frame of the segmentation, from 1, that shows an object.
   *
   * @param object - index of the object.
   * @param frame - of the source, from 0.
   */
  frameOf(object: number, frame: number): number;
}
