import { hasNativeBfloat16, type Precision, precisions, tf } from '../backend/index.js';
import { mergeLora } from '../lora/index.js';
import { type Module, useBfloat16 } from '../nn/index.js';
import { RuntimeError, UsageError } from '../util/index.js';

/**
 * Checks a precision before models are loaded. The backend must have been initialised.
 *
 * @throws UsageError for a value that is none; RuntimeError where the backend has no kernels for it.
 */
export function checkPrecision(precision: Precision | undefined): void {
  if (precision === undefined || precision === 'float32') return;
  if (!precisions.includes(precision))
    throw new UsageError({
      code: 'E_OPTION_VALUE',
      where: 'precision',
      what: `expected ${precisions.join(' or ')}, got ${JSON.stringify(precision)}`,
    });
  if (hasNativeBfloat16()) return;
  throw new RuntimeError({
    code: 'E_BACKEND_NEEDED',
    where: `precision ${precision}`,
    what: `it needs the native operations of the TensorFlow backend on a processor; the backend is ${tf.getBackend()}${tf.getBackend() === 'tensorflow' ? ', without them' : ''}`,
    fix: 'Leave the precision at float32, or use the TensorFlow backend with its native operations',
  });
}

/** Converts a loaded model, adapters included, which are merged first. */
export function convertTo(precision: Precision | undefined, model: Module): void {
  if (precision !== 'bfloat16') return;
  mergeLora(model);
  useBfloat16(model);
}
