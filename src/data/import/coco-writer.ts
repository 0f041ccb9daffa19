import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../../util/index.js';
import type { Split } from '../coco.js';

/** An image of the annotation file, with its objects. */
export interface CocoEntry {
  readonly fileName: string;
  readonly width: number;
  readonly height: number;
  /** Patient, volume or source image. */
  readonly group: string;
  /** Origin relative to the imported folder; `#k` is slice k of a volume or frame k of a cine clip. */
  readonly source: string;
  readonly spacingMm?: readonly [number, number] | undefined;
  /** The prompt's phrases. */
  readonly phrases: readonly string[];
  /** Mask of everything in the image, where the objects are a subset. */
  readonly wholeMask?: string | undefined;
  readonly objects: readonly {
    readonly phrase: string;
    readonly bbox: readonly [number, number, number, number];
    readonly area: number;
    readonly maskFile: string;
  }[];
}

/** The `info` of an annotation file. */
export type CocoInfo = Readonly<Record<string, string | number>>;

/** Entries are written in chunks, so that the text is never in memory as a whole. */
const PIECE = 500;

/** Writes `annotations/PART.json`, one image or annotation per line. */
export async function writeAnnotations(
  root: string,
  split: Split,
  entries: readonly CocoEntry[],
  phrases: readonly string[],
  info: CocoInfo,
): Promise<void> {
  const categories = phrases.map((name, i) => ({ id: i + 1, name }));
  const idOf = new Map(categories.map(({ id, name }) => [name, id]));
  await writeFileAtomic(join(root, 'annotations', `${split}.json`), async (file) => {
    await file.write(`{"info": ${JSON.stringify({ ...info, split })},\n"images": [`);
    await writeList(file, entries, (entry, i) => [
      {
        id: i + 1,
        file_name: entry.fileName,
        width: entry.width,
        height: entry.height,
        phrases: entry.phrases,
        dataset: info['dataset'],
        group: entry.group,
        source: entry.source,
        ...(entry.spacingMm === undefined ? {} : { pixel_spacing_mm: entry.spacingMm }),
        ...(entry.wholeMask === undefined ? {} : { whole_mask_file: entry.wholeMask }),
      },
    ]);
    await file.write('],\n"annotations": [');
    let id = 0;
    await writeList(file, entries, (entry, i) =>
      entry.objects.map(({ phrase, bbox, area, maskFile }) => ({
        id: ++id,
        image_id: i + 1,
        category_id: idOf.get(phrase),
        bbox,
        area,
        iscrowd: 0,
        mask_file: maskFile,
      })),
    );
    await file.write(`],\n"categories": ${JSON.stringify(categories)}}\n`);
  });
}

async function writeList<T>(file: FileHandle, items: readonly T[], linesOf: (item: T, index: number) => object[]): Promise<void> {
  let first = true;
  for (let start = 0; start < items.length; start += PIECE) {
    const lines = items.slice(start, start + PIECE).flatMap((item, i) => linesOf(item, start + i));
    if (lines.length === 0) continue;
    await file.write(`${first ? '' : ','}\n${lines.map((line) => JSON.stringify(line)).join(',\n')}`);
    first = false;
  }
}
