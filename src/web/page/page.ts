import type { Selection } from '../../processing/index.js';
import { ClipPage } from './clip/clip-page.js';
import { element } from './element.js';
import type { PageEngine } from './engine.js';
import type { ExportKind } from './export-files.js';
import { ImagePage } from './image-page.js';
import { listenToFiles, type Opening, openFile } from './open-files.js';
import { promptText } from './panel.js';
import { getReady } from './start.js';
import { Tasks } from './tasks.js';

/** The page: an image or a clip, and the controls that act on whichever is open. */
let engine: PageEngine;
const tasks = new Tasks();
const image = new ImagePage({
  engine: () => engine,
  tasks,
  openFrame: (file, address) => void openFile(file, address, opening),
});
const clip = new ClipPage({
  engine: () => engine.clips,
  readSegmentation: (file, { id }, signal) => engine.readSegmentation(file, { clip: id }, signal),
  tasks,
  question: () => ({ prompt: promptText(), threshold: image.layers.threshold, select: image.layers.select }),
});
const opening: Opening = { engine: () => engine, tasks, image, clip };
listenToFiles(opening);

element('ask').addEventListener('submit', (event) => {
  event.preventDefault();
  if (clip.active) void clip.find();
  else void image.find((opened, signal) => engine.segment(opened, promptText(), signal));
});
const threshold = element<HTMLInputElement>('threshold');
threshold.addEventListener('input', () => {
  image.layers.threshold = Number(threshold.value);
  element<HTMLOutputElement>('threshold-value').value = image.layers.threshold.toFixed(2);
  image.refresh();
});
const select = element<HTMLSelectElement>('select');
select.addEventListener('change', () => {
  image.layers.select = select.value as Selection;
  image.refresh();
});
element('delete').addEventListener('click', () => {
  if (clip.active) void clip.removeChosen();
  else image.removeChosen();
});
for (const button of document.querySelectorAll<HTMLButtonElement>('[data-export]'))
  button.addEventListener('click', () => void (clip.active ? clip : image).save(button.dataset['export'] as ExportKind));
window.addEventListener('resize', () => {
  image.draw();
  clip.resize();
});

/** Starts the page with an engine. */
export function startPage(by: PageEngine): void {
  engine = by;
  void getReady(opening);
}

/** Restarts with another engine, keeping image and layers. */
export async function restartPage(): Promise<void> {
  await getReady(opening);
  if (!image.active && !clip.active) return;
  await tasks.run('Reading the image', async (signal) => {
    await (clip.active ? clip : image).reopen(signal);
    return '';
  });
}
