import { existsSync, readdirSync } from 'node:fs';
import { type PowerPreference, requestAdapter } from './dawn.js';
import { type AdapterReport, describeAdapter } from './describe-adapter.js';

/** Each preference may yield another device. */
const WISHES: readonly PowerPreference[] = ['high-performance', 'low-power'];

/** Device names of the kernel's graphics drivers, NVIDIA's driver and Windows Subsystem for Linux. */
const RENDER_NODE = /^renderD\d+$/;
const OTHER_DEVICES: readonly string[] = ['/dev/nvidia0', '/dev/dxg'];

/**
 * Whether the system has a graphics device at all. Without one there is no need to load Dawn, whose driver loader would print
 * warnings to standard error.
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

/** Lists the adapters, the default one first. Empty without a driver; throws if Dawn cannot be loaded. */
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
