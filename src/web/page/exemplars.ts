import type { OpenedImage, SentSegment } from '../../serve/engine/jobs.js';
import type { Exemplar, PageEngine } from './engine.js';
import type { Rle } from './layers.js';
import { ApiError } from './requests.js';

/** As many as a request may have. */
const MOST = 16;

/** The names of mask files: those of their images, followed by this. */
const MASK_NAME = /[ ._-]mask$/i;

/** An image open in the page. */
export interface OpenFile {
  readonly file: File;
  readonly opened: OpenedImage;
}

type Kept = Exemplar & { readonly file: File };

/** The exemplars that the user has collected, and their list on the page. */
export class Exemplars {
  private readonly list: HTMLElement;
  private readonly changed: () => void;
  private kept: readonly Kept[] = [];

  constructor(list: HTMLElement, changed: () => void) {
    this.list = list;
    this.changed = changed;
  }

  get count(): number {
    return this.kept.length;
  }

  /** Whether another one may be added. */
  get hasRoom(): boolean {
    return this.kept.length < MOST;
  }

  /** Adds the mask of a layer of the open image. */
  addMask({ file, opened }: OpenFile, mask: Rle): string {
    this.add({ file, opened, mask });
    return `${this.kept.length} of at most ${MOST} exemplars`;
  }

  /** Adds images with their mask files: `scan.png` and `scan_mask.png`. */
  async addFiles(files: readonly File[], engine: PageEngine, signal: AbortSignal): Promise<string> {
    const masks = new Map(files.flatMap((file) => (isMask(file) ? [[stemOf(file).replace(MASK_NAME, ''), file] as const] : [])));
    const images = files.filter((file) => !isMask(file));
    const alone = images.find((file) => !masks.has(stemOf(file)));
    if (alone !== undefined) throw new Error(`${alone.name} has no mask: choose ${stemOf(alone)}_mask.png together with it`);
    const orphan = [...masks].find(([stem]) => !images.some((file) => stemOf(file) === stem));
    if (orphan !== undefined) throw new Error(`${orphan[1].name} has no image: choose both together`);
    if (this.kept.length + images.length > MOST) throw new Error(`At most ${MOST} exemplars`);
    for (const file of images) {
      const opened = await engine.openImage(file, undefined, signal);
      const mask = await base64Of(masks.get(stemOf(file)) as File);
      signal.throwIfAborted();
      this.add({ file, opened, mask });
    }
    return `${this.kept.length} of at most ${MOST} exemplars`;
  }

  /**
   * Segments what looks like the exemplars. Images that the engine no longer keeps are sent again, once.
   *
   * @param reopen - sends the open image again.
   */
  async find(
    engine: PageEngine,
    image: OpenedImage,
    reopen: () => Promise<OpenedImage>,
    signal: AbortSignal,
  ): Promise<readonly SentSegment[]> {
    if (engine.segmentAlike === undefined) return [];
    try {
      return await engine.segmentAlike(image, this.kept, signal);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
      const again: Kept[] = [];
      for (const { file, opened, mask } of this.kept)
        again.push({ file, mask, opened: await engine.openImage(file, opened.frames.address, signal) });
      this.kept = again;
      this.show();
      return engine.segmentAlike(await reopen(), again, signal);
    }
  }

  private add(exemplar: Kept): void {
    this.kept = [...this.kept, exemplar];
    this.show();
  }

  private remove(exemplar: Kept): void {
    this.kept = this.kept.filter((other) => other !== exemplar);
    this.show();
  }

  private show(): void {
    this.list.replaceChildren(
      ...this.kept.map((exemplar) => {
        const row = document.createElement('li');
        const name = document.createElement('span');
        name.className = 'name';
        const { count, address } = exemplar.opened.frames;
        name.textContent = count === 1 ? exemplar.file.name : `${exemplar.file.name} ${address}`;
        const button = document.createElement('button');
        button.type = 'button';
        button.textContent = 'Remove';
        button.addEventListener('click', () => this.remove(exemplar));
        row.append(name, button);
        return row;
      }),
    );
    this.changed();
  }
}

function stemOf({ name }: File): string {
  return name.replace(/(\.nii)?\.[^.]*$/, '');
}

function isMask(file: File): boolean {
  return MASK_NAME.test(stemOf(file));
}

async function base64Of(file: File): Promise<string> {
  const url = await new Promise<string>((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.onerror = () => reject(new Error(`${file.name} cannot be read`));
    reader.readAsDataURL(file);
  });
  return url.slice(url.indexOf(',') + 1);
}
