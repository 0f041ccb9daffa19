import { workerData } from 'node:worker_threads';
import { makeSample, type Sample, type SampleRequest } from '../data/index.js';
import { DataError, SonogroundError } from '../util/index.js';
import { type DataRecipe, openTrainSplit } from './data-recipe.js';

/** What a thread answers: errors lose their class on the way between threads, so their parts are sent. */
export type SampleAnswer =
  | { readonly sample: Sample }
  | { readonly error: { readonly where: string; readonly what: string; readonly fix?: string } };

const dataset = openTrainSplit(workerData as DataRecipe);
// A failure to open is answered to each request, not thrown where nobody listens.
dataset.catch(() => {});

/** Entry of a worker thread: makes one sample. */
export default async function answer(request: SampleRequest): Promise<SampleAnswer> {
  try {
    return { sample: await makeSample(await dataset, request) };
  } catch (error) {
    const { where, what, fix } =
      error instanceof SonogroundError ? error : new DataError({ where: 'loader', what: String(error) });
    return { error: { where, what, ...(fix !== undefined && { fix }) } };
  }
}
