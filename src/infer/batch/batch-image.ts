/** An image file and its name in the results. */
export interface BatchImage {
  /** A file, followed by `#N` for one of several images in it; or an address. Errors name it. */
  readonly path: string;
  /** Names the overlay and the masks, and is the `name` in `images.json`; `/` separates folders. Unique per image. */
  readonly id: string;
  /** The id with the file's extension. */
  readonly fileName: string;
  /**
   * Where its bytes come from. Such a file is not opened before its turn and may hold several images: all are taken, unless one is
   * selected. Default: the file, which holds one image or whose path selects one.
   */
  readonly source?: ImageSource;
}

/** A file that is read into memory when its turn comes. */
export interface ImageSource {
  /** Changes with the content. Undefined where it is not known: such a file counts as unchanged. */
  readonly version: string | undefined;
  /** The selected image, as after `#` in a name. */
  readonly part: string | undefined;
  /** @throws DataError when this file cannot be read; another error when none can. */
  read(signal: AbortSignal): Promise<Uint8Array>;
}
