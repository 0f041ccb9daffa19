import { workerData } from 'node:worker_threads';
import { makeSample, type Sample, type SampleRequest } from '../data/index.js';
import { DataError, SonogroundError } from '../util/index.js';
import { type DataRecipe, openTrainSplit } from './data-recipe.js';

/** A thread's answer: errors lose their class when passed between threads, so their fields are sent. */
export type SampleAnswer =
  | { readonly sample: Sample }
  | {
      readonly error: { readonly code: DataError['code']; readonly where: string; readonly what: string; readonly fix?: string };
    };

const dataset = openTrainSplit(workerData as DataRecipe);
// A failure to open is returned for each request, rather than as an unhandled rejection.
dataset.catch(() => {});

/** Entry point of a worker thread: creates one sample. */
export default async function answer(request: SampleRequest): Promise<SampleAnswer> {
  try {
    return { sample: await makeSample(await dataset, request) };
  } catch (error) {
    const { code, where, what, fix } =
      error instanceof SonogroundError ? error : new DataError({ code: 'E_LOADER_FAILED', where: 'loader', what: String(error) });
    // Any other failure to create a sample is attributed to the data.
    return { error: { code: code as DataError['code'], where, what, ...(fix !== undefined && { fix }) } };
  }
}
