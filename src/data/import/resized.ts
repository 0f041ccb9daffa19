import { type Done, sourceOf } from './assemble.js';

/** A notice about images that differ from their published size, to which their tables refer. */
export function resizedNote(done: readonly Done[], from: string): string | undefined {
  const resized = done.flatMap(({ record, result: { width, height } }) => {
    const [w, h] = record.publishedSize ?? [width, height];
    return w === width && h === height ? [] : [`${sourceOf(record, from)} is ${width}x${height}, published ${w}x${h}`];
  });
  if (resized.length === 0) return undefined;
  return `${resized.length} of ${done.length} images are not of the size in which they were published (${resized[0]}): somebody resized them. Millimetres a pixel are scaled; boxes in pixels are taken from the masks, not from a table`;
}
