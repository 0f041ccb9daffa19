import { isVideo, opensAsClip, saysClip } from './clip/clip-files.js';
import type { ClipPage } from './clip/clip-page.js';
import { element } from './element.js';
import type { PageEngine } from './engine.js';
import type { ImagePage } from './image-page.js';
import { enableControls } from './panel.js';
import { isSegmentation } from './segmentation-files.js';
import type { Tasks } from './tasks.js';

/** Where files are opened. */
export interface Opening {
  readonly engine: () => PageEngine;
  readonly tasks: Tasks;
  readonly image: ImagePage;
  readonly clip: ClipPage;
}

/** Opens files that are chosen or dropped. */
export function listenToFiles(opening: Opening): void {
  const picker = element<HTMLInputElement>('file');
  for (const id of ['drop', 'other']) element(id).addEventListener('click', () => picker.click());
  picker.addEventListener('change', () => {
    const files = [...(picker.files ?? [])];
    picker.value = '';
    void openFiles(files, opening);
  });
  const over = (is: boolean) => element('stage').classList.toggle('over', is);
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    over(true);
  });
  document.addEventListener('dragleave', () => over(false));
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    over(false);
    void openFiles([...(event.dataTransfer?.files ?? [])], opening);
  });
}

/** Opens an image or a clip, segmentations together with it, or segmentations of what is open. */
async function openFiles(files: readonly File[], opening: Opening): Promise<void> {
  const { image, clip } = opening;
  const kinds = await Promise.all(files.map(isSegmentation));
  const first = files.find((_, i) => kinds[i] === false);
  if (first !== undefined) {
    await openFile(first, undefined, opening);
    // What could not be opened has no segmentation, nor has what was open before.
    if (!image.shows(first) && !clip.shows(first)) return;
  }
  for (const file of files.filter((_, i) => kinds[i])) await (clip.active ? clip : image).addSegmentation(file);
}

/**
 * Opens a file as a clip or an image.
 *
 * @param frame - address of the image in a TIFF or volume; undefined for the first.
 */
export function openFile(file: File, frame: string | undefined, { engine, tasks, image, clip }: Opening): Promise<void> {
  /** @returns undefined for a single image. */
  const asClip = async (signal: AbortSignal) => {
    const said = await clip.open(file, signal);
    if (said === undefined) return undefined;
    image.close();
    showStage();
    clip.resize();
    return said;
  };
  return tasks.run('Reading the image', async (signal) => {
    let note = '';
    /** What can be shown as an image, too, is, with the reason why it is not a clip. */
    const tryClip = (otherwise: boolean) =>
      asClip(signal).catch((error: Error) => {
        if (signal.aborted || !otherwise) throw error;
        note = `. Not as a clip: ${error.message}`;
        return undefined;
      });
    if (opensAsClip(file)) {
      const said = await tryClip(!isVideo(file));
      if (said !== undefined) return said;
    }
    const opened = await engine().openImage(file, frame, signal);
    if (frame === undefined && saysClip(opened)) {
      const said = await tryClip(opened.frames.kind === 'pages');
      if (said !== undefined) return said;
    }
    clip.close();
    const bitmap = await engine().loadImage(opened, signal);
    showStage();
    image.show({ file, opened, image: bitmap });
    return `${opened.width} × ${opened.height} pixels${note}`;
  });
}

/** In place of the invitation to open a file. */
function showStage(): void {
  element('drop').hidden = true;
  enableControls();
}
