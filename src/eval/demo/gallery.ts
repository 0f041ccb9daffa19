import type { Dataset, Sample } from '../../data/index.js';
import type { Segment } from '../../infer/index.js';
import { drawOverlay } from '../../processing/index.js';
import type { ReportImage } from '../report.js';
import type { Look } from './looks.js';

/** How many pictures the report shows. */
const GALLERY = 24;

/** Truth, answer before and answer after, drawn on the first images of a dataset; one colour a phrase. */
export async function gallery(dataset: Dataset, before: Look, after: Look): Promise<ReportImage[]> {
  const images: ReportImage[] = [];
  for (let i = 0; i < Math.min(GALLERY, dataset.size); i++) {
    const sample = await dataset.load(i);
    if (sample.objects.length === 0) continue;
    const draw = (items: Sample['objects'] | readonly Segment[]) =>
      drawOverlay(
        sample.image,
        items.map(({ phrase, ...rest }) => ({ label: phrase, ...rest })),
        dataset.phrases ?? [],
      );
    const [truth, first, last] = await Promise.all([
      draw(sample.objects),
      draw(before.segments[i] ?? []),
      draw(after.segments[i] ?? []),
    ]);
    const scores = { dscBefore: scoreOf(before, sample), dscAfter: scoreOf(after, sample) };
    images.push({ title: sample.id, truth, before: first, after: last, ...scores });
  }
  return images;
}

/** Mean DSC over the phrases that the image shows. */
function scoreOf({ evaluation: { rows } }: Look, sample: Sample): number {
  const own = rows.filter(({ id }) => id === sample.id);
  return own.reduce((sum, { dsc }) => sum + dsc, 0) / Math.max(own.length, 1);
}
