import type { BoxXyxy } from '../../imaging/index.js';
import { SonogroundError } from '../../util/index.js';
import { CocoDataset } from '../coco.js';
import type { Dataset, Sample, SampleObject } from '../types.js';
import { fingerprintOf } from './fingerprint.js';
import type { Inspection } from './types.js';

type Found = Inspection['problems'][number];

/** Pixels by which an annotation's box may differ from the box of its mask: one for the convention, one for rounding. */
const BOX_TOLERANCE = 2;

/** Fraction of the image from which an object is considered a mistake. */
const WHOLE = 0.98;

/**
 * Loads a sample as training would, and inspects it.
 *
 * @throws SonogroundError naming the file when it cannot be loaded.
 */
export async function inspectSample(data: Dataset, index: number): Promise<Inspection> {
  const { sample, problems } = await loadChecked(data, index);
  const { image, objects } = sample;
  return {
    width: image.width,
    height: image.height,
    labels: objects.map(({ phrase }) => phrase),
    ...fingerprintOf(image),
    problems: [...problems, ...objects.flatMap((object) => checkObject(object, sample))],
  };
}

async function loadChecked(
  data: Dataset,
  index: number,
): Promise<{ readonly sample: Sample; readonly problems: readonly Found[] }> {
  if (!(data instanceof CocoDataset)) return { sample: await data.load(index), problems: [] };
  const { sample, pairs } = await data.loadWithAnnotations(index);
  const problems = pairs.flatMap(({ annotation: { id, bbox, mask_file, segmentation }, object }) => {
    const name = `annotation ${id}${mask_file === undefined ? '' : ` (masks/${mask_file})`}`;
    const stated: BoxXyxy | undefined = bbox && [bbox[0], bbox[1], bbox[0] + bbox[2], bbox[1] + bbox[3]];
    if (stated === undefined) return [];
    const { width, height } = sample.image;
    const outside = stated[0] < 0 || stated[1] < 0 || stated[2] > width || stated[3] > height;
    const ownMask =
      mask_file !== undefined || (segmentation !== undefined && !(Array.isArray(segmentation) && segmentation.length === 0));
    const off = Math.max(...stated.map((side, i) => Math.abs(side - (object.boxXyxyPx[i] as number))));
    return [
      ...(outside ? [warning(`${name}: its box ${text(stated)} reaches out of the ${width}x${height} image`)] : []),
      ...(ownMask && off > BOX_TOLERANCE
        ? [warning(`${name}: its box ${text(stated)} is not the box of its mask ${text(object.boxXyxyPx)}`)]
        : []),
    ];
  });
  return { sample, problems };
}

function checkObject({ phrase, boxXyxyPx: [x0, y0, x1, y1] }: SampleObject, { image }: Sample): Found[] {
  const share = ((x1 - x0) * (y1 - y0)) / (image.width * image.height);
  return share > WHOLE ? [warning(`the box of "${phrase}" is the whole image`)] : [];
}

function warning(what: string): Found {
  return { level: 'warning', what };
}

function text(box: BoxXyxy): string {
  return `[${box.map((side) => Math.round(side * 10) / 10).join(', ')}]`;
}

/** The message for a sample that cannot be loaded; rethrows anything other than data errors. */
export function reasonOf(error: unknown): string {
  if (error instanceof SonogroundError) return error.fix === undefined ? error.what : `${error.what}. ${error.fix}`;
  throw error;
}
