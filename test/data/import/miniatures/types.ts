import type { Box } from './draw.js';

/** An object as the annotations must have it. */
export type Expected = readonly [phrase: string, ...box: Box];

/** A small dataset in its published layout, quirks included, and what must become of it. */
export interface Miniature {
  readonly dataset: string;
  readonly write: (dir: string) => Promise<void>;
  /** Of each source image all objects, in any order; none make a negative. */
  readonly images: Readonly<Record<string, readonly Expected[]>>;
  /** Images of one line must be in one split. */
  readonly groups?: readonly (readonly string[])[];
  /** Files that must be among the problems, and no others. */
  readonly problems?: readonly string[];
  /** Rows of the published way, and the files that they are in; phrases as published. */
  readonly paper?: { readonly rows: number; readonly files: number; readonly phrases: readonly string[] };
  readonly unseen?: boolean;
}
