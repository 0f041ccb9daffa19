import type { GridTurn } from '../../imaging/index.js';
import type { StatedSize } from '../annotation-misfit.js';
import type { Part } from '../coco.js';
import type { FileTree } from './file-tree.js';

/** `strict` keeps patients apart and names things rightly; `paper` repeats what was published, for comparison. */
export type Protocol = 'strict' | 'paper';

/** A picture: a file, a plane of a volume, or a frame of a film. */
interface PixelSource {
  readonly file: string;
  /** Plane of a volume, from 0. */
  readonly slice?: number;
  /** Time point of a volume that has several, from 0. */
  readonly frame?: number;
  /** Frame of a DICOM film or page of a TIFF, from 0. */
  readonly page?: number;
  /** Rows and columns exchanged, as the published code shows volumes. */
  readonly transpose?: boolean;
}

/** What the values of a mask mean. */
export type MaskReading =
  /** Bright is inside: all of it is one class. */
  | { readonly as: 'bright'; readonly class: string }
  /** Values are class numbers. */
  | { readonly as: 'values'; readonly classes: Readonly<Record<number, string>> }
  /** Everything that is not 0 is inside and of the class of the largest value. */
  | { readonly as: 'top-value'; readonly classes: Readonly<Record<number, string>> }
  /** Pure colours are classes. */
  | { readonly as: 'colours'; readonly classes: Readonly<Partial<Record<'red' | 'green' | 'blue', string>>> }
  /** Bright is inside; the class is the half of the image in which the middle of the box lies. */
  | { readonly as: 'side'; readonly left: string; readonly right: string };

/** Where objects of an image come from. */
export type MaskSource = (
  | {
      readonly kind: 'file';
      readonly file: string;
      readonly read: MaskReading;
      /** Plane and channel, where the file is a volume. */
      readonly slice?: number;
      readonly frame?: number;
      /** How the volume lies over the image's. Default: as it is stored. */
      readonly turn?: GridTurn;
      /** Frame of a DICOM film or page of a TIFF, from 0. */
      readonly page?: number;
      readonly transpose?: boolean;
      /** All of the mask is one object, in however many pieces. */
      readonly whole?: boolean;
      /** Each of these is one object: the part of the mask that lies in it. Lists x0, y0, x1, y1, … of pixels. */
      readonly instances?: readonly { readonly class: string; readonly polygon: readonly number[] }[];
    }
  | {
      readonly kind: 'polygons';
      readonly class: string;
      readonly polygons: readonly (readonly number[])[];
      /** Points are numbers of pixels, and those under the outline belong to the object. */
      readonly drawn?: boolean;
    }
  | { readonly kind: 'rle'; readonly class: string; readonly size: readonly [number, number]; readonly counts: string | number[] }
  | {
      readonly kind: 'box';
      readonly class: string;
      /** Left, top, width, height in pixels. */
      readonly bbox: readonly [number, number, number, number];
      /** Width and height of the picture whose pixels those are. Default: the image's own. */
      readonly size?: readonly [number, number];
      /** The mask of everything in the image: the object is what the box holds of it. */
      readonly within?: string;
    }
) & {
  /** The entry that says so, for problems: it claims an object, and there has to be one. */
  readonly by?: { readonly file: string; readonly name: string; readonly image: string };
};

/** Objects that are drawn into a picture of their own. */
export type DrawnSource =
  /** Each class in a colour of its own, on black; grey pictures may hold the numbers of the classes instead, from 1. */
  | {
      readonly kind: 'painted';
      readonly file: string;
      readonly classes: readonly { readonly class: string; readonly colour: readonly [number, number, number] }[];
    }
  /** One object: its outline or, where somebody has filled it, all of it. */
  | { readonly kind: 'outline'; readonly file: string; readonly class: string };

/** One image as found, before any pixel is read. */
export interface SourceRecord {
  /** Unique in its dataset; becomes the name of its files. */
  readonly name: string;
  readonly image: PixelSource;
  /** None make a negative. */
  readonly masks: readonly (MaskSource | DrawnSource)[];
  /** Images of one group stay in one part: a patient, a volume, a source image. */
  readonly group: string;
  /** What the prompt asks for where it is not simply what is there: names of classes. */
  readonly asked?: readonly string[];
  /** The part that the dataset's publisher gave it. */
  readonly part?: Part;
  /** Which of the published code's lists it is in. */
  readonly list?: string;
  /** Millimetres a pixel, across and down; of the published picture, where its size is known. */
  readonly spacingMm?: readonly [number, number];
  /** The size that annotations say they are for, and the file that says it: the image must have it. */
  readonly stated?: StatedSize & { readonly by: string };
  /** Width and height of the picture as it was published: somebody may have resized the one that is here. */
  readonly publishedSize?: readonly [number, number];
}

/** Something that was left out or is not as published. */
export interface Problem {
  /** Relative to the folder that is imported, with `/`. */
  readonly file: string;
  readonly what: string;
}

/** What a look at the file names found. */
export interface Found {
  readonly records: readonly SourceRecord[];
  readonly problems: readonly Problem[];
  /** What a person should know that is no problem. */
  readonly notes?: readonly string[];
}

/** What an adapter is asked. */
export interface ScanOptions {
  readonly protocol: Protocol;
  /** The files under the folder that is imported. */
  readonly tree: FileTree;
  /** One of the adapter's variants. */
  readonly variant: string;
  /** What the objects of a set that names nothing are called; several for label values 1, 2, …. */
  readonly prompts: readonly string[];
  /** The publisher's parts are wanted. */
  readonly officialSplits: boolean;
}

/** How the published code makes rows of a mask. */
export interface PaperRows {
  /** What the published code calls the dataset: the prefix of its files. */
  readonly key: string;
  /** Which outer contours become rows. Default: all, in OpenCV's order. */
  readonly contours?:
    | { readonly keep: 'all' }
    | { readonly keep: 'last' }
    | { readonly keep: 'first'; readonly count: number }
    | { readonly keep: 'largest'; readonly count: number; readonly minArea: number };
  /** A second contour becomes a copy of the image with a box of its own. */
  readonly copies?: boolean;
  /** Lists that are shuffled and divided one after the other. */
  readonly lists?: readonly string[];
}

/** One dataset: a declaration over the shared readers. */
export interface Adapter {
  /** What `--dataset` takes. */
  readonly name: string;
  /** As it is written in papers. */
  readonly title: string;
  /** Other spellings that `--dataset` takes. */
  readonly aliases: readonly string[];
  readonly organ: string;
  /** How much the whole archive holds; another number is told. */
  readonly published?: { readonly count: number; readonly of: 'images' | 'volumes' };
  /** Where to get it. */
  readonly source: string;
  /** How it is laid out, for a message when nothing is found. */
  readonly layout: string;
  /** Its files are named as those of any set of images and masks: it is not taken for what a folder holds instead of another. */
  readonly plainLayout?: boolean;
  /** Held back from training: everything goes to the test part. */
  readonly unseen?: boolean;
  /** Parts that came with the data are kept without being asked for. */
  readonly keepsParts?: boolean;
  /** The dataset has published parts. */
  readonly officialSplits?: string;
  /** Versions within one archive; the first is the default. */
  readonly variants?: readonly string[];
  /** The variant that the paper used. */
  readonly paperVariant?: string;
  /** Absent where a dataset is not one of the paper's. */
  readonly paper?: PaperRows;
  /** Masks may have other proportions than their images: they are stretched. */
  readonly stretchMasks?: boolean;
  /** What a person is told at every import. */
  readonly warning?: (options: { readonly protocol: Protocol; readonly variant: string }) => string | undefined;
  /** Finds images and masks by their names and reads the tables. */
  readonly scan: (options: ScanOptions) => Promise<Found>;
}
