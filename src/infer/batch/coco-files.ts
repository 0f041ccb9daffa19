import { join } from 'node:path';
import { writeFileAtomic } from '../../util/index.js';
import type { CocoImages, CocoResult } from './coco-result.js';
import type { JournalEntry } from './journal-entry.js';
import type { Verdict } from './verdicts.js';

/** The combined results of all images, and the images. */
const RESULTS = 'results.json';
const IMAGES = 'images.json';

/** Only written for calibrated models. */
const VERDICTS = 'verdicts.json';

/** Lines that are written at once: a list may be longer than the longest string. */
const LINES = 1000;

/**
 * Writes `images.json`, `results.json`, and `verdicts.json` if there are verdicts. Images are numbered from 1, so the same images
 * get the same numbers.
 *
 * @param sorted - in the order of their ids.
 * @param phrases - in the order of their `category_id`.
 */
export async function writeCocoFiles(out: string, sorted: readonly JournalEntry[], phrases: readonly string[]): Promise<void> {
  const results: CocoResult[] = sorted.flatMap((entry, i) => entry.results.map((found) => numbered(found, i + 1)));
  const verdicts: Verdict[] = sorted.flatMap(({ verdicts: own = [] }, i) => own.map((verdict) => numbered(verdict, i + 1)));
  await writeFileAtomic(join(out, IMAGES), `${JSON.stringify(imagesOf(sorted, phrases), null, 1)}\n`);
  await writeList(join(out, RESULTS), results);
  if (sorted.some((entry) => entry.verdicts !== undefined)) await writeList(join(out, VERDICTS), verdicts);
}

/** Says first which image something is of. */
function numbered<T extends object>(item: T, imageId: number): T & { readonly image_id: number } {
  // Lines that an earlier version wrote have a name there.
  return Object.assign({ image_id: imageId }, item, { image_id: imageId });
}

function imagesOf(entries: readonly JournalEntry[], phrases: readonly string[]): CocoImages {
  return {
    info: { description: `The images that ${RESULTS} refers to` },
    images: entries.map(({ id, fileName, results, width, height }, i) => {
      return { id: i + 1, file_name: fileName ?? results[0]?.file_name ?? id, name: id, width, height };
    }),
    categories: phrases.map((name, i) => ({ id: i + 1, name })),
    annotations: [],
  };
}

/** A JSON list with one entry per line. */
async function writeList(path: string, items: readonly unknown[]): Promise<void> {
  await writeFileAtomic(path, async (file) => {
    if (items.length === 0) return file.writeFile('[]\n');
    for (let i = 0; i < items.length; i += LINES) {
      const lines = items.slice(i, i + LINES).map((item) => JSON.stringify(item));
      await file.writeFile(`${i === 0 ? '[\n' : ',\n'}${lines.join(',\n')}`);
    }
    return file.writeFile('\n]\n');
  });
}
