import { RuntimeError, SonogroundError } from '../util/index.js';

/** TensorFlow's error codes, where the number says too little. */
const CODES: Readonly<Record<number, string>> = {
  3: 'an argument does not fit (INVALID_ARGUMENT)',
  5: 'something is missing (NOT_FOUND)',
  8: 'there is not enough memory (RESOURCE_EXHAUSTED)',
  10: 'an operation was broken off (ABORTED)',
  12: 'it has no such operation (UNIMPLEMENTED)',
  13: 'it failed inside (INTERNAL)',
};

const EXHAUSTED = 8;

/** Other reports of a lack of memory: oneDNN's "aborted" errors, CUDA and JavaScript. */
const MEMORY =
  /\bOOM\b|out of memory|bad_alloc|failed to allocate|could not create a (memory|primitive)|Operation received an exception|Array buffer allocation failed|Invalid typed array length/i;

/** Number of characters quoted from TensorFlow's message. */
const SHOWN = 200;

/** Converts numeric TensorFlow errors and out-of-memory errors to readable ones. Returns any other error unchanged. */
export function readableBackendError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof SonogroundError) return error;
  const [, number, own = ''] = /^Invalid TF_Status: (\d+)(?:\s+Message: (.*))?/s.exec(error.message) ?? [];
  const code = number === undefined ? undefined : Number(number);
  const message = own.replace(/\s+/g, ' ').trim().slice(0, SHOWN);
  if (code === EXHAUSTED || MEMORY.test(error.message))
    return new RuntimeError({
      code: 'E_OUT_OF_MEMORY',
      where: code === undefined ? 'memory' : 'TensorFlow',
      what: `there is not enough memory${message === '' ? '' : ` (${message})`}`,
      fix: 'Take smaller batches (train.batchSize) or images (model.imageSize), or end what else uses the memory or the GPU',
      cause: error,
    });
  if (code === undefined) return error;
  return new RuntimeError({
    code: 'E_BACKEND_FAILED',
    where: 'TensorFlow',
    what: `${CODES[code] ?? `it failed (code ${code})`}${message === '' ? '' : `: ${message}`}`,
    fix: 'SONOGROUND_DEBUG=1 shows where it happened',
    cause: error,
  });
}
