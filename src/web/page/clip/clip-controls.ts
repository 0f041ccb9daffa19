import type { Direction } from '../../../infer/index.js';
import { element } from '../element.js';
import { listenToKeys } from './keys.js';

/** What buttons and keys do on a clip. */
export interface ControlActions {
  play(): void;
  step(by: number): void;
  seek(where: 'start' | 'end'): void;
  propagate(direction: Direction): void;
  undo(): void;
  /** Stops what is running. */
  stop(): void;
  remove(): void;
  deselect(): void;
}

/** Listens to the buttons of a clip, and to the keys while one is open. */
export function listenToControls(active: () => boolean, canvas: HTMLCanvasElement, actions: ControlActions): void {
  const click = (id: string, action: () => void) => element(id).addEventListener('click', action);
  click('clip-play', () => actions.play());
  click('clip-back', () => actions.step(-1));
  click('clip-next', () => actions.step(1));
  click('clip-backward', () => actions.propagate('backward'));
  click('clip-forward', () => actions.propagate('forward'));
  click('clip-undo', () => actions.undo());
  click('clip-stop', () => actions.stop());
  listenToKeys(active, actions);
  // What is drawn next belongs to the keys of the clip again.
  for (const radio of document.querySelectorAll<HTMLInputElement>('[name=tool]'))
    radio.addEventListener('click', () => active() && canvas.focus());
}
