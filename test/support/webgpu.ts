import { describe } from '@jest/globals';
import { listAdapters } from '../../src/backend/index.js';

/** Why WebGPU cannot be tried here; undefined if it can, be it on a software adapter. */
export async function webgpuMissing(): Promise<string | undefined> {
  try {
    return (await listAdapters()).length === 0 ? 'no adapter was found; docs/gpu.md names a software one' : undefined;
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n')[0] as string) : String(error);
  }
}

/** `describe`, or if `missing` gives a reason, the same skipped with the reason in its name. */
export function describeWebgpu(missing: string | undefined, name: string, body: () => void): void {
  if (missing === undefined) describe(name, body);
  else describe.skip(`${name} (skipped: ${missing})`, body);
}
