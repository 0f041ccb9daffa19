import type { OpenedImage } from '../../serve/engine/jobs.js';
import type { PageEngine } from './engine.js';
import type { Layers } from './layers.js';

/** The field for the size of a pixel: for images whose file does not state it. */
export class PixelSize {
  private readonly field: HTMLInputElement;

  /**
   * @param label - of the field, hidden while it is of no use.
   * @param changed - called when the user has entered another size.
   */
  constructor(
    private readonly label: HTMLElement,
    changed: () => void,
  ) {
    this.field = label.querySelector('input') as HTMLInputElement;
    this.field.addEventListener('change', () => {
      const isValid = this.field.value.trim() === '' || this.mmPerPixel !== undefined;
      this.field.setAttribute('aria-invalid', String(!isValid));
      if (isValid) changed();
    });
  }

  /** Whether the field is shown. */
  get isAsked(): boolean {
    return !this.label.hidden;
  }

  /** Millimetres across and down: one number, or two as in `0.1x0.15`. Undefined without a valid entry, or where it is not asked for. */
  get mmPerPixel(): readonly [number, number] | undefined {
    if (!this.isAsked) return undefined;
    const parts = this.field.value
      .trim()
      .replaceAll(',', '.')
      .split(/\s*[x×]\s*/);
    const [across = Number.NaN, down = across] = parts.map(Number);
    return parts.length <= 2 && across > 0 && down > 0 && Math.max(across, down) <= MOST_MM ? [across, down] : undefined;
  }

  /** Shows the field for an image without a scale; an entry stays for further ones. */
  show({ spacing_mm }: OpenedImage): void {
    this.label.hidden = spacing_mm !== null;
  }

  /** Measures all masks again, by the size that is entered. */
  async measure(engine: PageEngine, image: OpenedImage, layers: Layers, signal: AbortSignal): Promise<void> {
    const masked = layers.all.flatMap((layer) => (layer.rle === null ? [] : [{ layer, rle: layer.rle }]));
    if (masked.length === 0) return;
    const found = await engine.measure(
      image,
      masked.map(({ rle }) => rle),
      this.mmPerPixel,
      signal,
    );
    for (const [i, { layer }] of masked.entries()) layer.measured = found[i] ?? layer.measured;
  }
}

/** As in the API. */
const MOST_MM = 1000;
