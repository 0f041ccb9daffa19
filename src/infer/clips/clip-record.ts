import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { maskArea, maskToRle } from '../../imaging/index.js';
import { type MaskMeasures, measuresFields, type Unmeasured } from '../../measure/index.js';
import { safeRelative, unsafeName, writeFileAtomic } from '../../util/index.js';
import type { CocoResult } from '../batch/coco-result.js';
import type { ClipSegment } from './clip-segment.js';
import { tracksCsv } from './track-rows.js';

/** Folder of a record for each clip that was begun. */
const RECORDS = 'clips';

/** An entry of a clip's results: COCO's, with the frame and the identity. */
export type ClipResult = Omit<CocoResult, 'image_id' | 'file_name' | 'category_id'> & {
  readonly frame: number;
  /** The same for an object in all frames of its clip. */
  readonly track_id: number;
  readonly object_score: number;
};

const recordSchema = z.object({
  id: z.string().refine((id) => unsafeName(id) === undefined),
  fileName: z.string(),
  /** Hash of the file and of the settings. */
  key: z.string(),
  /** Hash of the settings alone. */
  settings: z.string(),
  tracking: z.enum(['memory', 'detection']),
  width: z.int().positive(),
  height: z.int().positive(),
  frames: z.int().positive(),
  frameSeconds: z.number().optional(),
  /** Names of the frames that are done. */
  done: z.array(z.string()),
  /** Why not all frames are done. */
  problem: z.string().optional(),
  notices: z.array(z.string()),
  /** Files of masks and overlays, relative to the output folder. */
  files: z.array(z.string().refine((name) => unsafeName(name) === undefined)),
  results: z.array(z.looseObject({ frame: z.int(), track_id: z.int(), category: z.string() })),
  rows: z.array(z.array(z.union([z.string(), z.number(), z.null()]))),
});

/** What is known of a clip that was begun. */
export interface ClipRecord extends Omit<z.infer<typeof recordSchema>, 'results'> {
  readonly results: ClipResult[];
}

/** Converts a visible segment to an entry of the results. */
export function clipResult(
  { track, phrase, score, maskScore, objectScore, boxXyxyPx, mask }: ClipSegment,
  frame: number,
  measures: MaskMeasures | Unmeasured,
): ClipResult {
  const [x0, y0, x1, y1] = boxXyxyPx ?? [0, 0, 0, 0];
  return {
    frame,
    track_id: track,
    category: phrase,
    bbox: [x0, y0, x1 - x0, y1 - y0],
    score,
    mask_score: maskScore,
    object_score: objectScore,
    area: maskArea(mask),
    segmentation: maskToRle(mask),
    ...measuresFields(measures),
  };
}

export async function writeRecord(out: string, record: ClipRecord): Promise<void> {
  await writeFileAtomic(join(out, RECORDS, `${safeRelative(record.id, 'a clip id')}.json`), `${JSON.stringify(record)}\n`);
}

/** All records of a folder; damaged ones are as if they were not there. */
export async function readRecords(out: string): Promise<Map<string, ClipRecord>> {
  const folder = join(out, RECORDS);
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const records = new Map<string, ClipRecord>();
  for (const name of names.filter((own) => own.endsWith('.json'))) {
    const parsed = recordSchema.safeParse(await readJson(join(folder, name)));
    if (parsed.success) records.set(parsed.data.id, parsed.data as unknown as ClipRecord);
  }
  return records;
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Writes the lists of all clips: `results.json` in COCO's results format, `images.json` with an image a frame and a video a clip,
 * and `tracks.csv`.
 */
export async function writeLists(out: string, records: readonly ClipRecord[], phrases: readonly string[]): Promise<void> {
  const order = new Intl.Collator('en', { numeric: true });
  const sorted = [...records].sort((a, b) => order.compare(a.id, b.id));
  const images: object[] = [];
  const results: object[] = [];
  const videos = sorted.map(({ id, fileName, width, height, frames, frameSeconds, tracking, problem, done, results: own }, v) => {
    const first = images.length + 1;
    for (const [frame, file_name] of done.entries())
      images.push({ id: first + frame, file_name, width, height, video_id: v + 1, frame_id: frame });
    for (const { frame, ...result } of own)
      results.push({
        image_id: first + frame,
        video_id: v + 1,
        frame_id: frame,
        file_name: done[frame],
        category_id: phrases.indexOf(result.category) + 1,
        ...result,
      });
    const incomplete = problem === undefined ? {} : { problem };
    return {
      id: v + 1,
      file_name: fileName,
      name: id,
      width,
      height,
      frames,
      done: done.length,
      frameSeconds,
      tracking,
      ...incomplete,
    };
  });
  const categories = phrases.map((name, i) => ({ id: i + 1, name }));
  const info = { description: 'frames of clips that sonoground infer --track segmented' };
  await writeFileAtomic(
    join(out, 'images.json'),
    `${JSON.stringify({ info, videos, images, categories, annotations: [] }, null, 1)}\n`,
  );
  const lines = results.map((result) => JSON.stringify(result));
  await writeFileAtomic(join(out, 'results.json'), lines.length === 0 ? '[]\n' : `[\n${lines.join(',\n')}\n]\n`);
  await writeFileAtomic(join(out, 'tracks.csv'), tracksCsv(sorted));
}
