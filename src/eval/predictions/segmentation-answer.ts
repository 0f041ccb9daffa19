import type { Sample } from '../../data/index.js';
import {
  type BinaryMask,
  boxOfMask,
  type DicomSegmentation,
  fitMask,
  greyOfMask,
  instanceOf,
  splitAddress,
  unionOfMasks,
} from '../../imaging/index.js';
import { type Answer, type AnsweredBox, WHOLE } from '../../protocols/index.js';

/**
 * What a DICOM segmentation shows of an image: for each phrase the segments that are called so, or all of them together if none has
 * the name of a phrase.
 *
 * @param frame - of the clip that it is of. Default: that of the image's file, else the only one.
 * @throws DataError naming the file when it is of another image, or of other rows and columns.
 */
export async function segmentationAnswer(
  segmentation: DicomSegmentation,
  sample: Sample,
  phrases: readonly string[],
  frame: number | undefined,
): Promise<Answer> {
  const { image } = sample;
  const source = sample.file === undefined ? undefined : await splitAddress(sample.file);
  const instance = source === undefined ? undefined : await instanceOf(source.file);
  if (instance !== undefined) segmentation.requireSize(image);
  const found = await segmentation.masks(frame ?? source?.part?.index ?? segmentation.onlyFrame(), instance);
  const called = (segment: number, phrase: string) =>
    (segmentation.header.segments.find(({ number }) => number === segment)?.names ?? []).some((name) => isCalled(name, phrase));
  const box = (phrase: string, masks: readonly BinaryMask[]): AnsweredBox[] => {
    if (masks.length === 0) return [];
    const mask = fitMask(greyOfMask(unionOfMasks(masks)), image, segmentation.file);
    return [{ phrase, score: 1, boxXyxyPx: boxOfMask(mask) ?? [0, 0, 0, 0], mask }];
  };
  const all = segmentation.header.segments;
  const named = phrases.some((phrase) => all.some(({ names }) => names.some((name) => isCalled(name, phrase))));
  if (!named)
    return box(
      phrases.length === 1 ? (phrases[0] as string) : WHOLE,
      found.map(({ mask }) => mask),
    );
  return phrases.flatMap((phrase) =>
    box(
      phrase,
      found.filter(({ segment }) => called(segment, phrase)).map(({ mask }) => mask),
    ),
  );
}

/** A label may have a number after the phrase. */
function isCalled(name: string, phrase: string): boolean {
  const plain = (text: string) =>
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, ' ')
      .trim();
  return plain(name) === plain(phrase) || plain(name.replace(/ \d+(, frame \d+)?$/, '')) === plain(phrase);
}
