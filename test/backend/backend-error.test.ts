import { describe, expect, it } from '@jest/globals';
import { readableBackendError } from '../../src/backend/index.js';
import { RuntimeError, UsageError } from '../../src/util/index.js';

const textOf = (message: string) => (readableBackendError(new Error(message)) as Error).message;

describe('an error of TensorFlow', () => {
  it.each([
    'Invalid TF_Status: 8\nMessage: OOM when allocating tensor with shape[1,9999999,256] and type float on /job:localhost',
    'Invalid TF_Status: 10\nMessage: Operation received an exception: Status: 1, message: could not create a memory object',
    'Invalid TF_Status: 13\nMessage: failed to allocate memory',
    'Array buffer allocation failed',
    'std::bad_alloc',
  ])('reports a lack of memory as such, with a remedy: %j', (message) => {
    expect(readableBackendError(new Error(message))).toBeInstanceOf(RuntimeError);
    expect(textOf(message)).toMatch(
      /^(TensorFlow|memory): there is not enough memory.*smaller batches \(train\.batchSize\) or images/,
    );
  });

  it('of another kind says what its number means', () => {
    expect(textOf('Invalid TF_Status: 3\nMessage: Incompatible shapes:\n [2] vs. [3]')).toMatch(
      /^TensorFlow: an argument does not fit \(INVALID_ARGUMENT\): Incompatible shapes: \[2\] vs\. \[3\]\. /,
    );
    expect(textOf('Invalid TF_Status: 10')).toContain('an operation was broken off (ABORTED)');
    expect(textOf('Invalid TF_Status: 77\nMessage: x')).toContain('it failed (code 77): x');
  });

  it('is nothing else: other errors stay what they are', () => {
    const own = new UsageError({ code: 'E_OPTION_VALUE', where: '--out', what: 'out of memory' });
    const other = new Error('cannot read');
    expect(readableBackendError(own)).toBe(own);
    expect(readableBackendError(other)).toBe(other);
    expect(readableBackendError('text')).toBe('text');
  });
});
