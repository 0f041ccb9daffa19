import type { OpenedImage } from '../../../serve/engine/jobs.js';

const VIDEOS = /\.(mp4|m4v|mov|avi|mkv|webm)$/i;

/** Images that may move, of which the page learns only by opening them as clips. */
const ANIMATIONS = /\.(webp|gif)$/i;

interface Named {
  readonly name: string;
}

/** Whether a file can only be a clip, by its name. */
export function isVideo({ name }: Named): boolean {
  return VIDEOS.test(name);
}

/** Whether a file is to be tried as a clip first, by its name. */
export function opensAsClip(file: Named): boolean {
  return isVideo(file) || ANIMATIONS.test(file.name);
}

/** Whether a file that was opened as an image has frames along time. Slices of volumes have not. */
export function saysClip({ frames: { kind, count } }: OpenedImage): boolean {
  return count > 1 && (kind === 'frames' || kind === 'pages');
}
