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
  row.append(tick, dot, name, score, sizeOf(layer));
  return row;
}

/** The measures in millimetres, or why there are none. */
export function sizeOf({ measured: { measures, unmeasured }, rle }: Pick<Layer, 'measured' | 'rle'>): HTMLElement {
  const size = document.createElement('span');
  size.className = 'size';
  if (measures !== null) {
    const { long_axis_mm: long, short_axis_mm: short, area_mm2: area, perimeter_mm: perimeter } = measures;
    size.textContent = `${long.toFixed(1)} × ${short.toFixed(1)} mm, ${(area / MM2_PER_CM2).toFixed(2)} cm², perimeter ${perimeter.toFixed(1)} mm`;
    size.title = measures.calibration;
  } else if (rle !== null && unmeasured !== undefined) size.textContent = `no millimetres: ${unmeasured}`;
  return size;
}

const MM2_PER_CM2 = 100;

function scoreText({ score, maskScore, byHand, read }: Layer): string {
  const parts = [
    score === null ? '' : score.toFixed(2),
    read ? 'read' : '',
    byHand ? 'drawn' : '',
    maskScore === null ? '' : `mask ${maskScore.toFixed(2)}`,
  ];
  return parts.filter((part) => part !== '').join(' · ');
}
