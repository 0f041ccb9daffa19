import type { OpenedImage, SentSegment } from '../../serve/engine/jobs.js';
import { counted } from '../../util/counted.js';
import { element } from './element.js';
import type { PageEngine } from './engine.js';
import { ExemplarPanel } from './exemplar-panel.js';
import type { OpenFile } from './exemplars.js';
import { type ExportKind, saveAs } from './export-files.js';
import { FrameSlider } from './frame-slider.js';
import { ImageView } from './image-view.js';
import type { Layer, Layers, Rle } from './layers.js';
import { phraseForDrawn, tool } from './panel.js';
import { PixelSize } from './pixel-size.js';
import { type Gestures, listen } from './pointer.js';
import type { Tasks } from './tasks.js';

/** What the image needs of the page around it. */
export interface ImageHooks {
  readonly engine: () => PageEngine;
  readonly tasks: Tasks;
  /** Opens another image of a TIFF or volume. */
  readonly openFrame: (file: File, address: string) => void;
}

/** An image as it is shown. */
export interface ShownImage extends OpenFile {
  readonly image: ImageBitmap;
}

/** Phrase of an object that has points and no box. */
const POINTS = 'by points';

/** An image in the page: its predictions, and the user's corrections. */
export class ImagePage {
  readonly exemplars: ExemplarPanel;
  private readonly hooks: ImageHooks;
  private readonly view = new ImageView();
  private readonly slider: FrameSlider;
  private readonly pixelSize: PixelSize;
  private current: ShownImage | undefined;

  constructor(hooks: ImageHooks) {
    this.hooks = hooks;
    this.slider = new FrameSlider((address) => this.current && hooks.openFrame(this.current.file, address));
    this.pixelSize = new PixelSize(element('pixel'), () => {
      void hooks.tasks.run('Measuring', async (signal) => {
        await this.measureAgain(signal);
        return '';
      });
    });
    this.exemplars = new ExemplarPanel({
      ...hooks,
      image: () => this.current,
      mask: () => this.layers.chosen?.rle ?? null,
      reopen: (signal) => this.reopen(signal),
      find: (ask) => this.find(ask),
    });
    const { canvas } = this.view;
    listen(canvas, this.layers, () => this.current?.opened ?? { width: 1, height: 1 }, tool, this.gestures());
    canvas.addEventListener('keydown', ({ key }) => {
      if (key === 'Delete' || key === 'Backspace') this.removeChosen();
      if (key === 'Escape') this.choose(undefined);
    });
  }

  get layers(): Layers {
    return this.view.layers;
  }

  /** Whether an image is open. */
  get active(): boolean {
    return this.current !== undefined;
  }

  shows(file: File): boolean {
    return this.current?.file === file;
  }

  /** Shows an image that was opened, as yet without layers. */
  show(image: ShownImage): void {
    this.exemplars.show();
    this.current = image;
    this.layers.replace([]);
    this.view.canvas.hidden = false;
    this.slider.show(image.opened.frames);
    this.pixelSize.show(image.opened);
    this.refresh();
  }

  /** Makes way for a clip. */
  close(): void {
    this.current = undefined;
    this.layers.replace([]);
    this.refresh();
    this.view.canvas.hidden = true;
    this.slider.hide();
    this.exemplars.hide();
  }

  /** Sends the open image again, which the engine no longer keeps. */
  async reopen(signal: AbortSignal): Promise<OpenedImage> {
    const before = this.current;
    if (before === undefined) throw new Error('No image is open');
    const opened = await this.hooks.engine().openImage(before.file, before.opened.frames.address, signal);
    if (this.current === before) this.current = { ...before, opened };
    return opened;
  }

  /** Shows the segments that are found on the image. */
  async find(ask: (image: OpenedImage, signal: AbortSignal) => Promise<readonly SentSegment[]>): Promise<void> {
    await this.hooks.tasks.run('Searching', async (signal) => {
      if (this.current === undefined) return '';
      const begin = performance.now();
      const found = await ask(this.current.opened, signal);
      this.layers.replace(found);
      await this.measureAgain(signal);
      const seconds = ((performance.now() - begin) / 1000).toFixed(1);
      return `${found.length} found in ${seconds} s`;
    });
  }

  /** Shows the segments of a file on the image, each with its name. */
  async addSegmentation(file: File): Promise<void> {
    await this.hooks.tasks.run('Reading the segmentation', async (signal) => {
      if (this.current === undefined)
        throw new Error(`${file.name} is a segmentation: open its image first, or drop both together`);
      const segments = await this.hooks.engine().readSegmentation(file, { image: this.current.opened.id }, signal);
      this.layers.addRead(segments);
      await this.measureAgain(signal);
      return `${counted(segments.length, 'segment')} of ${file.name}`;
    });
  }

  removeChosen(): void {
    if (this.layers.chosen !== undefined) this.layers.remove(this.layers.chosen);
    this.refresh();
  }

  /** Saves the visible layers. */
  async save(kind: ExportKind): Promise<void> {
    if (this.current === undefined) return;
    const { file, image, opened } = this.current;
    await saveAs(kind, file.name, { ...opened, spacing_mm: this.spacingMm ?? null }, image, this.layers);
  }

  /** Brings list, buttons and canvas up to date. */
  refresh(): void {
    this.view.list(() => this.refresh());
    this.exemplars.refresh();
    this.draw();
  }

  draw(): void {
    if (this.current !== undefined) this.view.draw(this.current.image, this.spacingMm);
  }

  /** Size of a pixel: by the file, or entered. */
  private get spacingMm(): readonly [number, number] | undefined {
    return this.current?.opened.spacing_mm ?? this.pixelSize.mmPerPixel;
  }

  /** By the size of a pixel that the user has entered, if any. */
  private async measureAgain(signal: AbortSignal): Promise<void> {
    if (this.current !== undefined && this.pixelSize.isAsked)
      await this.pixelSize.measure(this.hooks.engine(), this.current.opened, this.layers, signal);
    this.refresh();
  }

  private gestures(): Gestures {
    return {
      draft: (bbox) => {
        this.view.draft = bbox;
        this.draw();
      },
      drawn: (bbox) => this.correct(this.layers.add(phraseForDrawn(), null, bbox)),
      moving: () => this.draw(),
      moved: (layer) => {
        layer.byHand = true;
        layer.points = [];
        this.refresh();
        void this.remask(layer);
      },
      chosen: (layer) => this.choose(layer),
      point: (at, inside) => {
        const layer = this.layers.chosen ?? this.layers.add(POINTS, null, [at[0], at[1], 0, 0]);
        layer.byHand = true;
        layer.points.push({ at, inside });
        this.correct(layer);
      },
    };
  }

  private choose(layer: Layer | undefined): void {
    this.layers.chosen = layer;
    this.refresh();
  }

  private correct(layer: Layer): void {
    this.choose(layer);
    void this.remask(layer);
  }

  /** Requests a new mask for a drawn box or points. */
  private async remask(layer: Layer): Promise<void> {
    await this.hooks.tasks.run('Segmenting', async (signal) => {
      if (this.current === undefined) return '';
      const { points, bbox } = layer;
      const answer = await this.hooks.engine().maskFor(
        this.current.opened,
        {
          // A layer that started with points has no box of its own.
          ...(layer.score === null && points.length > 0 && layer.phrase === POINTS ? {} : { bbox }),
          ...(points.length > 0 && { points: points.map(({ at }) => at), labels: points.map(({ inside }) => (inside ? 1 : 0)) }),
        },
        signal,
      );
      if (answer === undefined) return 'No mask';
      const { measures, unmeasured } = answer;
      const measured = { measures, ...(unmeasured === undefined ? {} : { unmeasured }) };
      this.layers.setMask(layer, answer.mask as Rle | null, answer.area, answer.mask_score, measured);
      if (layer.phrase === POINTS && answer.bbox !== null) layer.bbox = answer.bbox;
      await this.measureAgain(signal);
      return `Mask of ${answer.area} pixels, quality ${answer.mask_score.toFixed(2)}`;
    });
  }
}
