import { workerData } from 'node:worker_threads';
import { makeSample, type Sample, type SampleRequest } from '../data/index.js';
import { DataError, packError, type SentError, SonogroundError } from '../util/index.js';
import { type DataRecipe, openTrainSplit } from './data-recipe.js';

/** A thread's answer. */
export type SampleAnswer = { readonly sample: Sample } | { readonly error: SentError };

const dataset = openTrainSplit(workerData as DataRecipe);
// A failure to open is returned for each request, rather than as an unhandled rejection.
dataset.catch(() => {});

/** Entry point of a worker thread: creates one sample. */
export default async function answer(request: SampleRequest): Promise<SampleAnswer> {
  try {
    return { sample: await makeSample(await dataset, request) };
  } catch (error) {
    if (error instanceof SonogroundError) return { error: packError(error) };
    return { error: packError(new DataError({ code: 'E_LOADER_FAILED', where: 'loader', what: String(error) })) };
  }
}
