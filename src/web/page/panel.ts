import { element } from './element.js';
import type { Tool } from './pointer.js';

/** The prompt that is entered. */
export function promptText(): string {
  return element<HTMLInputElement>('prompt').value;
}

/** Phrase of a drawn object: the prompt's first phrase. */
export function phraseForDrawn(): string {
  const first = promptText().split('.')[0]?.trim() ?? '';
  return first === '' ? 'box' : first;
}

/** The selected tool. */
export function tool(): Tool {
  return (document.querySelector<HTMLInputElement>('[name=tool]:checked')?.value ?? 'box') as Tool;
}

/** Shows the tools for points where the masker takes points. */
export function offerPoints(points: boolean): void {
  for (const radio of document.querySelectorAll<HTMLInputElement>('[name=tool]:not([value=box])')) {
    radio.disabled = !points;
    if (radio.parentElement !== null) radio.parentElement.hidden = !points;
  }
}

/** Enables the controls that need an image or a clip. */
export function enableControls(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>('#find, [data-export]')) button.disabled = false;
  element<HTMLFieldSetElement>('tools').disabled = false;
}
