import type { Selection } from '../../processing/index.js';
import type { OpenedImage, SentSegment } from '../../serve/engine/jobs.js';
import { isVideo, opensAsClip, saysClip } from './clip/clip-files.js';
import { ClipPage } from './clip/clip-page.js';
import { drawScene } from './draw.js';
import type { PageEngine, Step } from './engine.js';
import { Exemplars } from './exemplars.js';
import { type ExportKind, saveAs } from './export-files.js';
import { showList } from './layer-list.js';
import { type Bbox, type Layer, Layers, type Rle } from './layers.js';
import { PixelSize } from './pixel-size.js';
import { listen, type Tool } from './pointer.js';
import { ApiError, rememberToken } from './requests.js';
import { isSegmentation } from './segmentation-files.js';

/** The page: an image, its predictions, and the user's corrections. */
const element = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
const canvas = element<HTMLCanvasElement>('canvas');
const prompt = element<HTMLInputElement>('prompt');
const threshold = element<HTMLInputElement>('threshold');
const slider = element<HTMLInputElement>('frame');

let engine: PageEngine;
const exemplars = new Exemplars(element('exemplars'), () => showExemplarButtons());
const layers = new Layers();
let current: { readonly file: File; readonly opened: OpenedImage; readonly image: ImageBitmap } | undefined;
const pixelSize = new PixelSize(element('pixel'), () => {
  void work('Measuring', async (signal) => {
    await measureAgain(signal);
    return '';
  });
});
let draft: Bbox | undefined;
let working = new AbortController();
const clip = new ClipPage({
  engine: () => engine.clips,
  readSegmentation: (file, { id }, signal) => engine.readSegmentation(file, { clip: id }, signal),
  say,
  work,
  stop: () => working.abort(),
  tool,
  phrase: phraseForDrawn,
  question: () => ({ prompt: prompt.value, threshold: layers.threshold, select: layers.select }),
});

function draw(): void {
  if (current === undefined) return;
  const { image } = current;
  const stage = element('stage');
  const most = { width: stage.clientWidth, height: Math.max(200, 0.72 * window.innerHeight) };
  const fit = Math.min(most.width / image.width, most.height / image.height);
  const ratio = window.devicePixelRatio;
  canvas.style.width = `${image.width * fit}px`;
  canvas.style.height = `${image.height * fit}px`;
  canvas.width = Math.round(image.width * fit * ratio);
  canvas.height = Math.round(image.height * fit * ratio);
  drawScene(canvas.getContext('2d') as CanvasRenderingContext2D, image, layers, {
    scale: fit * ratio,
    line: 2 * ratio,
    draft,
    spacingMm: current?.opened.spacing_mm ?? pixelSize.mmPerPixel,
  });
}

function refresh(): void {
  showList(element('layers'), layers, refresh);
  const [listed, all] = [layers.listed.length, layers.all.length];
  element<HTMLOutputElement>('count').value = all === 0 ? '' : `${listed} of ${all} shown`;
  element<HTMLButtonElement>('delete').disabled = layers.chosen === undefined;
  showExemplarButtons();
  draw();
}

function showExemplarButtons(): void {
  element<HTMLButtonElement>('add-exemplar').disabled = !exemplars.hasRoom || (layers.chosen?.rle ?? null) === null;
  element<HTMLButtonElement>('find-alike').disabled = current === undefined || exemplars.count === 0;
}

function say(text: string, bad = false): void {
  const message = element('message');
  message.textContent = text;
  message.classList.toggle('bad', bad);
}

/** Runs a task that is aborted by the next one, and reports its errors. */
async function work(busy: string, body: (signal: AbortSignal) => Promise<string>): Promise<void> {
  working.abort();
  const own = new AbortController();
  working = own;
  say(busy);
  document.body.ariaBusy = 'true';
  try {
    const said = await body(own.signal);
    if (working === own) say(said);
  } catch (error) {
    if (own.signal.aborted) return;
    if (error instanceof ApiError && error.status === 401) return login(() => work(busy, body));
    say(error instanceof Error ? error.message : String(error), true);
  } finally {
    if (working === own) document.body.ariaBusy = 'false';
  }
}

function login(again: () => Promise<void>): void {
  say('This server requires a token', true);
  const dialog = element<HTMLDialogElement>('login');
  dialog.showModal();
  dialog.onclose = () => {
    rememberToken(element<HTMLInputElement>('token').value);
    void again();
  };
}

function open(file: File, frame?: string): Promise<void> {
  return work('Reading the image', async (signal) => {
    let note = '';
    /** What can be shown as an image, too, is, with the reason why it is not a clip. */
    const tryClip = (otherwise: boolean) =>
      openClip(file, signal).catch((error: Error) => {
        if (signal.aborted || !otherwise) throw error;
        note = `. Not as a clip: ${error.message}`;
        return undefined;
      });
    if (opensAsClip(file)) {
      const said = await tryClip(!isVideo(file));
      if (said !== undefined) return said;
    }
    const opened = await engine.openImage(file, frame, signal);
    if (frame === undefined && saysClip(opened)) {
      const said = await tryClip(opened.frames.kind === 'pages');
      if (said !== undefined) return said;
    }
    clip.close();
    element('alike').hidden = engine.segmentAlike === undefined;
    current = { file, opened, image: await engine.loadImage(opened, signal) };
    layers.replace([]);
    element('drop').hidden = true;
    canvas.hidden = false;
    for (const button of document.querySelectorAll<HTMLButtonElement>('#find, [data-export]')) button.disabled = false;
    element<HTMLFieldSetElement>('tools').disabled = false;
    showFrames(opened);
    pixelSize.show(opened);
    refresh();
    return `${opened.width} × ${opened.height} pixels${note}`;
  });
}

/** Opens files that were chosen or dropped: an image or a clip, segmentations of it, or of what is open. */
async function openAll(files: readonly File[]): Promise<void> {
  const kinds = await Promise.all(files.map(isSegmentation));
  const image = files.find((_, i) => kinds[i] === false);
  if (image !== undefined) {
    await open(image);
    // What could not be opened has no segmentation, nor has what was open before.
    if (current?.file !== image && !clip.shows(image)) return;
  }
  for (const file of files.filter((_, i) => kinds[i])) await showSegmentation(file);
}

/** Shows the segments of a file on the open image or clip, each with its name. */
async function showSegmentation(file: File): Promise<void> {
  if (clip.active) return clip.addSegmentation(file);
  await work('Reading the segmentation', async (signal) => {
    if (current === undefined) throw new Error(`${file.name} is a segmentation: open its image first, or drop both together`);
    const segments = await engine.readSegmentation(file, { image: current.opened.id }, signal);
    layers.addRead(segments);
    await measureAgain(signal);
    return `${segments.length} segments of ${file.name}`;
  });
}

/** @returns undefined for a single image. */
async function openClip(file: File, signal: AbortSignal): Promise<string | undefined> {
  const said = await clip.open(file, signal);
  if (said === undefined) return undefined;
  current = undefined;
  layers.replace([]);
  refresh();
  element('drop').hidden = true;
  canvas.hidden = true;
  element('frames').hidden = true;
  element('alike').hidden = true;
  for (const button of document.querySelectorAll<HTMLButtonElement>('#find, [data-export]')) button.disabled = false;
  element<HTMLFieldSetElement>('tools').disabled = false;
  clip.resize();
  return said;
}

/** Shows which image of a TIFF or volume is selected. */
function showFrames({ frames: { kind, count, address } }: OpenedImage): void {
  element('frames').hidden = count === 1;
  slider.max = String(count - 1);
  element('frame-name').textContent = `${kind}: ${address} (${count})`;
}

/** In a file of several volumes, slices are numbered consecutively. */
function addressOf(index: number, slices: number, volumes: boolean): string {
  return volumes ? `${index % slices}t${Math.floor(index / slices)}` : String(index);
}

async function find(ask: (image: OpenedImage, signal: AbortSignal) => Promise<readonly SentSegment[]>): Promise<void> {
  await work('Searching', async (signal) => {
    if (current === undefined) return '';
    const begin = performance.now();
    const found = await ask(current.opened, signal);
    layers.replace(found);
    await measureAgain(signal);
    const seconds = ((performance.now() - begin) / 1000).toFixed(1);
    return `${found.length} found in ${seconds} s`;
  });
}

/** By the size of a pixel that the user has entered, if any. */
async function measureAgain(signal: AbortSignal): Promise<void> {
  if (current !== undefined && !element('pixel').hidden) await pixelSize.measure(engine, current.opened, layers, signal);
  refresh();
}

/** Sends the open image again, which the engine no longer keeps. */
async function reopen(signal: AbortSignal): Promise<OpenedImage> {
  const before = current;
  if (before === undefined) throw new Error('No image is open');
  const opened = await engine.openImage(before.file, before.opened.frames.address, signal);
  if (current === before) current = { ...before, opened };
  return opened;
}

/** Requests a new mask for a drawn box or points. */
async function remask(layer: Layer): Promise<void> {
  await work('Segmenting', async (signal) => {
    if (current === undefined) return '';
    const { points, bbox } = layer;
    const answer = await engine.maskFor(
      current.opened,
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
    layers.setMask(layer, answer.mask as Rle | null, answer.area, answer.mask_score, measured);
    if (layer.phrase === POINTS && answer.bbox !== null) layer.bbox = answer.bbox;
    await measureAgain(signal);
    return `Mask of ${answer.area} pixels, quality ${answer.mask_score.toFixed(2)}`;
  });
}

const POINTS = 'by points';

/** Phrase of a drawn box: the prompt's first phrase. */
function phraseForDrawn(): string {
  const first = prompt.value.split('.')[0]?.trim() ?? '';
  return first === '' ? 'box' : first;
}

function tool(): Tool {
  return (document.querySelector<HTMLInputElement>('[name=tool]:checked')?.value ?? 'box') as Tool;
}

listen(canvas, layers, () => current?.opened ?? { width: 1, height: 1 }, tool, {
  draft(bbox) {
    draft = bbox;
    draw();
  },
  drawn(bbox) {
    layers.chosen = layers.add(phraseForDrawn(), null, bbox);
    refresh();
    void remask(layers.chosen);
  },
  moving: draw,
  moved(layer) {
    layer.byHand = true;
    layer.points = [];
    refresh();
    void remask(layer);
  },
  chosen(layer) {
    layers.chosen = layer;
    refresh();
  },
  point(at, inside) {
    const layer = layers.chosen ?? layers.add(POINTS, null, [at[0], at[1], 0, 0]);
    layer.byHand = true;
    layer.points.push({ at, inside });
    layers.chosen = layer;
    refresh();
    void remask(layer);
  },
});

function deleteChosen(): void {
  if (layers.chosen !== undefined) layers.remove(layers.chosen);
  refresh();
}

const picker = element<HTMLInputElement>('file');
element('drop').addEventListener('click', () => picker.click());
element('other').addEventListener('click', () => picker.click());
picker.addEventListener('change', () => {
  const files = [...(picker.files ?? [])];
  picker.value = '';
  void openAll(files);
});
document.addEventListener('dragover', (event) => {
  event.preventDefault();
  element('stage').classList.add('over');
});
document.addEventListener('dragleave', () => element('stage').classList.remove('over'));
document.addEventListener('drop', (event) => {
  event.preventDefault();
  element('stage').classList.remove('over');
  void openAll([...(event.dataTransfer?.files ?? [])]);
});
element('ask').addEventListener('submit', (event) => {
  event.preventDefault();
  if (clip.active) void clip.find();
  else void find((image, signal) => engine.segment(image, prompt.value, signal));
});
element('find-alike').addEventListener('click', () => {
  void find((image, signal) => exemplars.find(engine, image, () => reopen(signal), signal));
});
element('add-exemplar').addEventListener('click', () => {
  const rle = layers.chosen?.rle ?? null;
  if (current !== undefined && rle !== null) say(exemplars.addMask(current, rle));
});
const exemplarPicker = element<HTMLInputElement>('exemplar-files');
element('add-files').addEventListener('click', () => exemplarPicker.click());
exemplarPicker.addEventListener('change', () => {
  const files = [...(exemplarPicker.files ?? [])];
  exemplarPicker.value = '';
  void work('Reading the exemplars', (signal) => exemplars.addFiles(files, engine, signal));
});
threshold.addEventListener('input', () => {
  layers.threshold = Number(threshold.value);
  element<HTMLOutputElement>('threshold-value').value = layers.threshold.toFixed(2);
  refresh();
});
element<HTMLSelectElement>('select').addEventListener('change', (event) => {
  layers.select = (event.target as HTMLSelectElement).value as Selection;
  refresh();
});
slider.addEventListener('change', () => {
  if (current === undefined) return;
  const { count, per_frame } = current.opened.frames;
  void open(current.file, addressOf(Number(slider.value), per_frame, per_frame < count));
});
element('delete').addEventListener('click', () => {
  if (clip.active) void clip.removeChosen();
  else deleteChosen();
});
canvas.addEventListener('keydown', ({ key }) => {
  if (key === 'Delete' || key === 'Backspace') deleteChosen();
  if (key === 'Escape') {
    layers.chosen = undefined;
    refresh();
  }
});
for (const button of document.querySelectorAll<HTMLButtonElement>('[data-export]'))
  button.addEventListener('click', () => {
    if (clip.active) void clip.save(button.dataset['export'] as ExportKind);
    if (current === undefined) return;
    const { file, image } = current;
    const opened = { ...current.opened, spacing_mm: current.opened.spacing_mm ?? pixelSize.mmPerPixel ?? null };
    void saveAs(button.dataset['export'] as ExportKind, file.name, opened, image, layers);
  });
window.addEventListener('resize', () => {
  draw();
  clip.resize();
});

/** Starts the page with an engine. */
export function startPage(by: PageEngine): void {
  engine = by;
  void getReady();
}

/** Restarts with another engine, keeping image and layers. */
export async function restartPage(): Promise<void> {
  await getReady();
  if (current === undefined && !clip.active) return;
  await work('Reading the image', async (signal) => {
    if (clip.active) await clip.reopen(signal);
    else await reopen(signal);
    return '';
  });
}

function getReady(): Promise<void> {
  return work('', async () => {
    try {
      const { detector, adapter, masker, backend, points, exemplars: alike } = await engine.start(showStep);
      const names = [detector, adapter, masker].filter((name) => name !== null);
      clip.maskerName = masker?.split('/').pop() ?? '';
      // If engines are selectable, the selector shows the backend.
      const on = element('choice').hidden ? ` on ${backend}` : '';
      element('models').textContent = `${names.map((name) => name.split('/').pop()).join(' + ')}${on}`;
      // The static page cannot segment by exemplars; a server may lack the weights.
      element('alike').hidden = engine.segmentAlike === undefined;
      element('alike-missing').hidden = alike !== null;
      for (const id of ['alike-help', 'add-exemplar', 'add-files', 'find-alike']) element(id).hidden = alike === null;
      for (const radio of document.querySelectorAll<HTMLInputElement>('[name=tool]:not([value=box])')) {
        radio.disabled = !points;
        if (radio.parentElement !== null) radio.parentElement.hidden = !points;
      }
    } finally {
      element('getting-ready').hidden = true;
    }
    return '';
  });
}

/** Separate from the status message, which the user's actions keep changing. */
function showStep({ what, done }: Step): void {
  element('getting-ready').hidden = false;
  element('step').textContent = what;
  const bar = element<HTMLProgressElement>('progress');
  if (done === undefined) bar.removeAttribute('value');
  else bar.value = done;
}
