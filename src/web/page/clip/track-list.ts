import { sizeOf } from '../layer-list.js';
import { type ClipLayers, trackColourIndex } from './clip-layers.js';
import type { ClipState } from './clip-state.js';

/** Lists all objects of a clip with their scores on the current frame, each with a checkbox. */
export function showTracks(list: HTMLElement, state: ClipState, frame: number, layers: ClipLayers, changed: () => void): void {
  list.replaceChildren(
    ...state.objects.map(({ track, phrase }) => {
      const row = document.createElement('li');
      row.classList.toggle('chosen', track === layers.chosenTrack);
      row.dataset['track'] = String(track);
      const tick = document.createElement('input');
      tick.type = 'checkbox';
      tick.checked = !layers.off.has(track);
      tick.ariaLabel = `show ${phrase} ${track}`;
      tick.addEventListener('change', () => {
        if (tick.checked) layers.off.delete(track);
        else layers.off.add(track);
        changed();
      });
      const dot = document.createElement('span');
      dot.className = `dot c${trackColourIndex(track)}`;
      const name = document.createElement('button');
      name.type = 'button';
      name.className = 'name';
      name.textContent = phrase;
      name.addEventListener('click', () => {
        layers.chosenTrack = layers.chosenTrack === track ? undefined : track;
        changed();
      });
      const score = document.createElement('span');
      score.className = 'score';
      score.textContent = scoreText(state, frame, track);
      row.append(tick, dot, name, score, sizeText(state, frame, track));
      return row;
    }),
  );
}

function scoreText(state: ClipState, frame: number, track: number): string {
  const seen = state.of(frame, track);
  if (seen === undefined) return 'not followed here yet';
  const score = seen.object_score.toFixed(2);
  return seen.bbox === null ? `${score} · not in sight` : `${score} · mask ${seen.mask_score.toFixed(2)}`;
}

function sizeText(state: ClipState, frame: number, track: number): HTMLElement {
  const seen = state.of(frame, track);
  const { measures = null, unmeasured, mask = null } = seen ?? {};
  return sizeOf({ measured: { measures, ...(unmeasured !== undefined && { unmeasured }) }, rle: mask });
}
