/** Pixels of all frames that are kept, at four bytes each. */
const KEPT_PIXELS = 48e6;

/** Kept whatever their size. */
const KEPT_FRAMES = 4;

/** Frames loaded at a time: the server's queue is for others, too. */
const AT_ONCE = 2;

/** The decoded frames of a clip, loaded when they are first asked for. */
export class FrameCache {
  private readonly load: (index: number) => Promise<ImageBitmap>;
  private readonly most: number;
  private readonly kept = new Map<number, ImageBitmap>();
  private readonly loading = new Map<number, Promise<ImageBitmap>>();
  private closed = false;

  constructor(size: { readonly width: number; readonly height: number }, load: (index: number) => Promise<ImageBitmap>) {
    this.load = load;
    this.most = Math.max(KEPT_FRAMES, Math.floor(KEPT_PIXELS / (size.width * size.height)));
  }

  /** A frame that is there already. */
  peek(index: number): ImageBitmap | undefined {
    return this.kept.get(index);
  }

  get(index: number): Promise<ImageBitmap> {
    const known = this.kept.get(index);
    if (known !== undefined) {
      this.keep(index, known);
      return Promise.resolve(known);
    }
    const under = this.loading.get(index);
    if (under !== undefined) return under;
    const fresh = this.load(index)
      .then((image) => {
        if (this.closed) image.close();
        else this.keep(index, image);
        return image;
      })
      .finally(() => this.loading.delete(index));
    this.loading.set(index, fresh);
    return fresh;
  }

  /** Loads frames ahead of time, as far as nothing else is under way. */
  prepare(indices: readonly number[]): void {
    for (const index of indices) {
      if (this.loading.size >= AT_ONCE) return;
      if (!this.kept.has(index)) this.get(index).catch(() => {});
    }
  }

  /** The most recently used come last. */
  private keep(index: number, image: ImageBitmap): void {
    this.kept.delete(index);
    this.kept.set(index, image);
    for (const [oldest, unused] of this.kept) {
      if (this.kept.size <= this.most) return;
      unused.close();
      this.kept.delete(oldest);
    }
  }

  close(): void {
    this.closed = true;
    for (const image of this.kept.values()) image.close();
    this.kept.clear();
  }
}
