import type { Layer, Layers } from './layers.js';

/** Lists the layers, each with a checkbox. */
export function showList(list: HTMLElement, layers: Layers, changed: () => void): void {
  list.replaceChildren(...layers.listed.map((layer) => rowOf(layer, layers, changed)));
}

function rowOf(layer: Layer, layers: Layers, changed: () => void): HTMLElement {
  const row = document.createElement('li');
  row.classList.toggle('chosen', layer === layers.chosen);
  const tick = document.createElement('input');
  tick.type = 'checkbox';
  tick.checked = layer.on;
  tick.ariaLabel = `show ${layer.phrase}`;
  tick.addEventListener('change', () => {
    layer.on = tick.checked;
    changed();
  });
  const dot = document.createElement('span');
  dot.className = `dot c${layers.colourIndex(layer)}`;
  const name = document.createElement('button');
  name.type = 'button';
  name.className = 'name';
  name.textContent = layer.phrase;
  name.addEventListener('click', () => {
    layers.chosen = layers.chosen === layer ? undefined : layer;
    changed();
  });
  const score = document.createElement('span');
  score.className = 'score';
  score.textContent = scoreText(layer);
  row.append(tick, dot, name, score);
  return row;
}

function scoreText({ score, maskScore, byHand }: Layer): string {
  const parts = [
    score === null ? '' : score.toFixed(2),
    byHand ? 'drawn' : '',
    maskScore === null ? '' : `mask ${maskScore.toFixed(2)}`,
  ];
  return parts.filter((part) => part !== '').join(' · ');
}
