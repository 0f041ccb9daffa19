import type { OpenedImage } from '../../serve/engine/jobs.js';
import { element } from './element.js';

/** The slider for the images of a TIFF or volume. */
export class FrameSlider {
  private readonly slider = element<HTMLInputElement>('frame');
  private frames: OpenedImage['frames'] | undefined;

  /** @param choose - called with the address of the image that was selected. */
  constructor(choose: (address: string) => void) {
    this.slider.addEventListener('change', () => {
      if (this.frames === undefined) return;
      const { count, per_frame } = this.frames;
      choose(addressOf(Number(this.slider.value), per_frame, per_frame < count));
    });
  }

  /** Shows which image of its file is open. */
  show(frames: OpenedImage['frames']): void {
    const { kind, count, address } = frames;
    this.frames = frames;
    element('frames').hidden = count === 1;
    this.slider.max = String(count - 1);
    element('frame-name').textContent = `${kind}: ${address} (${count})`;
  }

  hide(): void {
    this.frames = undefined;
    element('frames').hidden = true;
  }
}

/** In a file of several volumes, slices are numbered consecutively. */
function addressOf(index: number, slices: number, volumes: boolean): string {
  return volumes ? `${index % slices}t${Math.floor(index / slices)}` : String(index);
}
