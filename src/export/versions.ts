import { readFile } from 'node:fs/promises';
import { tf } from '../backend/index.js';

/** Software versions of an export. */
export async function versions(): Promise<Record<string, string | null>> {
  const own = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  const native = tf.backend() as unknown as { readonly binding?: { readonly TF_Version?: string } };
  return {
    sonoground: own.version,
    tfjs: tf.version_core,
    tensorflow: native.binding?.TF_Version ?? null,
    node: process.version,
  };
}
