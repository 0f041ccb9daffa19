import { existsSync, readdirSync } from 'node:fs';
import { type PowerPreference, requestAdapter } from './dawn.js';
import { type AdapterReport, describeAdapter } from './describe-adapter.js';

/** Each wish may be answered by another device. */
const WISHES: readonly PowerPreference[] = ['high-performance', 'low-power'];

/** What a graphics device of the kernel, NVIDIA's driver or Windows' subsystem for Linux looks like. */
const RENDER_NODE = /^renderD\d+$/;
const OTHER_DEVICES: readonly string[] = ['/dev/nvidia0', '/dev/dxg'];

/**
 * Whether the system shows a graphics device at all. Without one there is nothing to ask Dawn for, whose loader of drivers would
 * complain on standard error.
 */
export function hasGraphicsDevice(): boolean {
  if (process.platform !== 'linux') return true;
  return renderNodes().some((name) => RENDER_NODE.test(name)) || OTHER_DEVICES.some((path) => existsSync(path));
}

function renderNodes(): string[] {
  try {
    return readdirSync('/dev/dri');
  } catch {
    return [];
  }
}

/** Lists the adapters, the one that is taken first. Empty where there is no driver; throws where Dawn cannot be loaded. */
export async function listAdapters(): Promise<AdapterReport[]> {
  const reports: AdapterReport[] = [];
  for (const wish of WISHES) {
    const adapter = await requestAdapter(wish);
    if (adapter === null) continue;
    const report = describeAdapter(adapter);
    if (!reports.some(({ description }) => description === report.description)) reports.push(report);
  }
  return reports;
}
