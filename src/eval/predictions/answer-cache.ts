import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type BoxXyxy, decodeRle, encodeRle, type RasterImage, type Size } from '../../imaging/index.js';
import type { Answer, AnsweredBox } from '../../protocols/index.js';
import { writeFileAtomic } from '../../util/index.js';
import { imageFingerprint, textFingerprint } from './fingerprint.js';

/** Increase when stored data changes its meaning. */
const FORMAT = 1;

const storedSchema = z.object({
  format: z.literal(FORMAT),
  width: z.int(),
  height: z.int(),
  boxes: z.array(
    z.object({
      phrase: z.string(),
      score: z.number(),
      box: z.tuple([z.number(), z.number(), z.number(), z.number()]),
      rle: z.string().optional(),
      ownGrid: z.object({ width: z.int(), height: z.int(), rle: z.string() }).optional(),
      maskScore: z.number().optional(),
    }),
  ),
});

/** Everything that an answer depends on. */
export interface AnswerKey {
  /** Hashes of the models and of their settings. */
  readonly model: string;
  readonly image: string;
  readonly prompt: string;
}

/** A cache, and the hash of everything that its owner's answers depend on besides image and question. */
export interface CachedBy {
  readonly cache: AnswerCache;
  readonly identity: string;
}

/** The answer to a question about an image: the stored one, else a new one, which is stored. */
export function remembered(
  { cache, identity }: CachedBy,
  image: RasterImage,
  question: readonly unknown[],
  ask: () => Promise<Answer>,
): Promise<Answer> {
  return cache.remember(image, { model: identity, prompt: textFingerprint(question) }, ask);
}

/** Answers on disk, one small JSON file each, so that an interrupted evaluation resumes. Files contain masks, not images. */
export class AnswerCache {
  private readonly dir: string;
  /** Answers to the last image by their keys: several protocols ask the same. */
  private recent: { readonly image: RasterImage; readonly answers: Map<string, Answer> } | undefined;

  constructor(dir: string) {
    this.dir = dir;
  }

  /** The answer to a question about an image: from memory, from disk, else a new one, which is stored. */
  async remember(image: RasterImage, asked: Omit<AnswerKey, 'image'>, ask: () => Promise<Answer>): Promise<Answer> {
    if (this.recent?.image !== image) this.recent = { image, answers: new Map() };
    const { answers } = this.recent;
    const place = `${asked.model} ${asked.prompt}`;
    const given = answers.get(place);
    if (given !== undefined) return given;
    const key: AnswerKey = { ...asked, image: imageFingerprint(image) };
    const stored = await this.get(key);
    const answer = stored ?? (await ask());
    if (stored === undefined) await this.put(key, answer, image);
    answers.set(place, answer);
    return answer;
  }

  /** A stored answer; undefined if there is none, or if the file is damaged. */
  async get(key: AnswerKey): Promise<Answer | undefined> {
    const text = await readFile(this.fileOf(key), 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    try {
      const { width, height, boxes } = storedSchema.parse(JSON.parse(text));
      return boxes.map(
        ({ phrase, score, box, rle, ownGrid, maskScore }): AnsweredBox => ({
          phrase,
          score,
          boxXyxyPx: box as BoxXyxy,
          ...(rle !== undefined && { mask: decodeRle(rle, width, height) }),
          ...(ownGrid !== undefined && { ownGrid: decodeRle(ownGrid.rle, ownGrid.width, ownGrid.height) }),
          ...(maskScore !== undefined && { maskScore }),
        }),
      );
    } catch {
      return undefined;
    }
  }

  async put(key: AnswerKey, answer: Answer, { width, height }: Size): Promise<void> {
    const boxes = answer.map(({ phrase, score, boxXyxyPx, mask, ownGrid, maskScore }) => ({
      phrase,
      score,
      box: boxXyxyPx,
      ...(mask !== undefined && { rle: encodeRle(mask) }),
      ...(ownGrid !== undefined && { ownGrid: { width: ownGrid.width, height: ownGrid.height, rle: encodeRle(ownGrid) } }),
      ...(maskScore !== undefined && { maskScore }),
    }));
    await writeFileAtomic(this.fileOf(key), JSON.stringify({ format: FORMAT, width, height, boxes }));
  }

  private fileOf({ model, image, prompt }: AnswerKey): string {
    return join(this.dir, model.slice(0, 16), `${image.slice(0, 32)}-${prompt.slice(0, 16)}.json`);
  }
}
