import { drawScene } from './draw.js';
import { element } from './element.js';
import { showList } from './layer-list.js';
import { type Bbox, Layers } from './layers.js';

/** An image as the page shows it: with its layers, and the list of these. */
export class ImageView {
  readonly canvas = element<HTMLCanvasElement>('canvas');
  readonly layers = new Layers();
  /** A box that is being drawn. */
  draft: Bbox | undefined;

  draw(image: ImageBitmap, spacingMm: readonly [number, number] | undefined): void {
    const { canvas } = this;
    const stage = element('stage');
    const most = { width: stage.clientWidth, height: Math.max(200, 0.72 * window.innerHeight) };
    const fit = Math.min(most.width / image.width, most.height / image.height);
    const ratio = window.devicePixelRatio;
    canvas.style.width = `${image.width * fit}px`;
    canvas.style.height = `${image.height * fit}px`;
    canvas.width = Math.round(image.width * fit * ratio);
    canvas.height = Math.round(image.height * fit * ratio);
    const context = canvas.getContext('2d') as CanvasRenderingContext2D;
    drawScene(context, image, this.layers, { scale: fit * ratio, line: 2 * ratio, draft: this.draft, spacingMm });
  }

  /**
   * Lists the layers.
   *
   * @param changed - called when the user has chosen or hidden a layer in the list.
   */
  list(changed: () => void): void {
    const { layers } = this;
    showList(element('layers'), layers, changed);
    const [listed, all] = [layers.listed.length, layers.all.length];
    element<HTMLOutputElement>('count').value = all === 0 ? '' : `${listed} of ${all} shown`;
    element<HTMLButtonElement>('delete').disabled = layers.chosen === undefined;
  }
}
