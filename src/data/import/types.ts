import type { GridTurn } from '../../imaging/index.js';
import type { StatedSize } from '../annotation-misfit.js';
import type { Split } from '../coco.js';
import type { FileTree } from './file-tree.js';

/** `strict` keeps patients apart and uses correct names; `paper` reproduces the published procedure, for comparison. */
export type Protocol = 'strict' | 'paper';

/** An image: a file, a slice of a volume, or a frame of a cine clip. */
interface PixelSource {
  readonly file: string;
  /** Slice of a volume, from 0. */
  readonly slice?: number;
  /** Time point of a volume that has several, from 0. */
  readonly frame?: number;
  /** Frame of a DICOM cine clip or page of a TIFF, from 0. */
  readonly page?: number;
  /** Swaps rows and columns, as the published code displays volumes. */
  readonly transpose?: boolean;
}

/** The meaning of a mask's values. */
export type MaskReading =
  /** Bright pixels are one class. */
  | { readonly as: 'bright'; readonly class: string }
  /** Values are class numbers. */
  | { readonly as: 'values'; readonly classes: Readonly<Record<number, string>> }
  /** Non-zero pixels belong to the class of the largest value. */
  | { readonly as: 'top-value'; readonly classes: Readonly<Record<number, string>> }
  /** Pure colours are classes. */
  | { readonly as: 'colours'; readonly classes: Readonly<Partial<Record<'red' | 'green' | 'blue', string>>> }
  /** Bright pixels are one object; its class depends on the image half that contains the centre of its box. */
  | { readonly as: 'side'; readonly left: string; readonly right: string };

/** A source of an image's objects. */
export type MaskSource = (
  | {
      readonly kind: 'file';
      readonly file: string;
      readonly read: MaskReading;
      /** Slice and channel, if the file is a volume. */
      readonly slice?: number;
      readonly frame?: number;
      /** Orientation relative to the image's volume. Default: as stored. */
      readonly turn?: GridTurn;
      /** Frame of a DICOM cine clip or page of a TIFF, from 0. */
      readonly page?: number;
      readonly transpose?: boolean;
      /** The whole mask is one object, however many components it has. */
      readonly whole?: boolean;
      /** Each polygon selects one object: the mask inside it. Lists x0, y0, x1, y1, … of pixels. */
      readonly instances?: readonly { readonly class: string; readonly polygon: readonly number[] }[];
    }
  | {
      readonly kind: 'polygons';
      readonly class: string;
      readonly polygons: readonly (readonly number[])[];
      /** Vertices are pixel indices, and pixels under the outline belong to the object. */
      readonly drawn?: boolean;
    }
  | { readonly kind: 'rle'; readonly class: string; readonly size: readonly [number, number]; readonly counts: string | number[] }
  | {
      readonly kind: 'box';
      readonly class: string;
      /** Left, top, width, height in pixels. */
      readonly bbox: readonly [number, number, number, number];
      /** Width and height of the image that the box refers to. Default: the image's own. */
      readonly size?: readonly [number, number];
      /** The mask of everything in the image: the object is its intersection with the box. */
      readonly within?: string;
    }
) & {
  /** The annotation entry, for problems: it asserts an object, so an empty one is an error. */
  readonly by?: { readonly file: string; readonly name: string; readonly image: string };
};

/** Objects drawn into an image of their own. */
export type DrawnSource =
  /** One colour per class, on black; grey images may hold class numbers from 1 instead. */
  | {
      readonly kind: 'painted';
      readonly file: string;
      readonly classes: readonly { readonly class: string; readonly colour: readonly [number, number, number] }[];
    }
  /** One object: its outline or, if that is filled, its mask. */
  | { readonly kind: 'outline'; readonly file: string; readonly class: string };

/** One image as scanned, before any pixel is read. */
export interface SourceRecord {
  /** Unique in its dataset; becomes the name of its files. */
  readonly name: string;
  readonly image: PixelSource;
  /** Empty for a negative. */
  readonly masks: readonly (MaskSource | DrawnSource)[];
  /** Images of one group (patient, volume, source image) stay in one split. */
  readonly group: string;
  /** Classes for the prompt, where they differ from those present. */
  readonly asked?: readonly string[];
  /** The publisher's split. */
  readonly split?: Split;
  /** The published code's list that contains it. */
  readonly list?: string;
  /** Pixel size in millimetres, horizontal and vertical; of the published image if its size is known. */
  readonly spacingMm?: readonly [number, number];
  /** The size stated by annotations, which the image must have, and the annotation file. */
  readonly stated?: StatedSize & { readonly by: string };
  /** Width and height of the published image; the file may be a resized version. */
  readonly publishedSize?: readonly [number, number];
}

/** Something that was left out or differs from the published data. */
export interface Problem {
  /** Relative to the imported folder, with `/`. */
  readonly file: string;
  readonly what: string;
}

/** Result of a scan of the file names. */
export interface Found {
  readonly records: readonly SourceRecord[];
  readonly problems: readonly Problem[];
  /** Notices that are not problems. */
  readonly notes?: readonly string[];
}

/** Options of a scan. */
export interface ScanOptions {
  readonly protocol: Protocol;
  /** The files of the imported folder. */
  readonly tree: FileTree;
  /** One of the importer's variants. */
  readonly variant: string;
  /** Phrases of the objects of a set that names none; several stand for label values 1, 2, …. */
  readonly prompts: readonly string[];
  /** Whether to use the publisher's splits. */
  readonly officialSplits: boolean;
}

/** How the published code derives rows from a mask. */
export interface PaperRows {
  /** The published code's name for the dataset: the prefix of its files. */
  readonly key: string;
  /** The outer contours that become rows. Default: all, in OpenCV's order. */
  readonly contours?:
    | { readonly keep: 'all' }
    | { readonly keep: 'last' }
    | { readonly keep: 'first'; readonly count: number }
    | { readonly keep: 'largest'; readonly count: number; readonly minArea: number };
  /** Each further contour becomes a copy of the image with a box of its own. */
  readonly copies?: boolean;
  /** Lists that are shuffled and split one after the other. */
  readonly lists?: readonly string[];
}

/** The importer of one dataset: a declaration over the shared readers. */
export interface Importer {
  /** The value of `--dataset`. */
  readonly name: string;
  /** Name as spelt in papers. */
  readonly title: string;
  /** Alternative values of `--dataset`. */
  readonly aliases: readonly string[];
  readonly organ: string;
  /** Size of the complete archive; a different count is reported. */
  readonly published?: { readonly count: number; readonly of: 'images' | 'volumes' };
  /** Download location. */
  readonly source: string;
  /** Expected layout, for the message when nothing is found. */
  readonly layout: string;
  /** Its file names are generic: it is never suggested as the dataset that a folder contains. */
  readonly plainLayout?: boolean;
  /** Held back from training: everything is in the test split. */
  readonly unseen?: boolean;
  /** Splits that come with the data are always kept. */
  readonly keepsSplits?: boolean;
  /** Description of the published splits, if any. */
  readonly officialSplits?: string;
  /** Versions within one archive; the first is the default. */
  readonly variants?: readonly string[];
  /** The variant used in the paper. */
  readonly paperVariant?: string;
  /** Absent for datasets that are not in the paper. */
  readonly paper?: PaperRows;
  /** Masks may differ in aspect ratio from their images and are stretched. */
  readonly stretchMasks?: boolean;
  /** Warning printed at every import. */
  readonly warning?: (options: { readonly protocol: Protocol; readonly variant: string }) => string | undefined;
  /** Pairs images and masks by name and reads the tables. */
  readonly scan: (options: ScanOptions) => Promise<Found>;
}
