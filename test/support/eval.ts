import type { Dataset, Sample, SampleObject } from '../../src/data/index.js';
import { type BinaryMask, type BoxXyxy, boxOfMask, type Size } from '../../src/imaging/index.js';
import type { Answer, AnsweredBox, Method } from '../../src/protocols/index.js';

const SIZE: Size = { width: 40, height: 30 };

/** A mask of a rectangle, right and bottom excluded. */
export function rectangle([x0, y0, x1, y1]: BoxXyxy, { width, height }: Size = SIZE): BinaryMask {
  const data = new Uint8Array(width * height);
  for (let y = y0; y < y1; y++) data.fill(1, y * width + x0, y * width + x1);
  return { width, height, data };
}

export function object(phrase: string, box: BoxXyxy): SampleObject {
  return { phrase, boxXyxyPx: box, mask: rectangle(box) };
}

/** A grey image with things in it. */
export function sample(id: string, objects: readonly SampleObject[], rest: Partial<Sample> = {}): Sample {
  const image = { ...SIZE, data: new Uint8Array(SIZE.width * SIZE.height * 3).fill(id.length) };
  const phrases = [...new Set(objects.map(({ phrase }) => phrase))];
  return { id, dataset: 'toys', image, objects, phrases, ...rest };
}

export function datasetOf(samples: readonly Sample[], name = 'toys'): Dataset {
  return { name, size: samples.length, load: async (index) => samples[index] as Sample };
}

export function answered(phrase: string, score: number, box: BoxXyxy, mask = rectangle(box)): AnsweredBox {
  return { phrase, score, boxXyxyPx: boxOfMask(mask) ?? box, mask, maskScore: score };
}

/** A method that answers by the image's name, to what it was asked for. */
export function methodOf(name: string, answers: (sample: Sample, phrases: readonly string[]) => Answer, scored = true): Method {
  return { name, scored, answer: async (one, phrases) => answers(one, phrases), dispose: async () => {} };
}

/** Options of a collection that tries nothing besides. */
export const plain = {
  threshold: 0.3,
  select: 'all',
  tolerance: { mm: 1, px: 2 },
  trust: false,
  wordings: (): readonly string[] => [],
  negatives: [],
} as const;
