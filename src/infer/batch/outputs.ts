import { join } from 'node:path';

/** The files of an image in an output folder, beside the lists of all images. */
export function outputsOf(out: string, id: string, masks: number): string[] {
  return [overlayFile(out, id), ...Array.from({ length: masks }, (_, k) => maskFile(out, id, k))];
}

export function overlayFile(out: string, id: string): string {
  return join(out, 'overlays', `${id}.png`);
}

export function maskFile(out: string, id: string, k: number): string {
  return join(out, 'masks', `${id}_${k}.png`);
}
