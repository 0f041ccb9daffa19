/** tfjs-node-gpu's own installer: TensorFlow 2.9.1 from TensorFlow's host, for systems without a wheel. */
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bindingDeps, bindingFile, bindingPackage } from './places.mjs';
import { say } from './say.mjs';
import { complaint, runTool } from './tool.mjs';

const LIMIT_MS = 600_000;
const REMINDER_MS = 10_000;

/** @returns undefined, or a clause with the reason of the failure. */
export async function installStock(variant) {
  await rm(bindingDeps, { recursive: true, force: true });
  const manifest = join(bindingPackage, 'package.json');
  const before = await readFile(manifest);
  const begin = Date.now();
  const tell = () => say(`downloading the stock TensorFlow, 100 MB or more: ${Math.round((Date.now() - begin) / 1000)} s so far`);
  const reminder = setInterval(tell, REMINDER_MS);
  const { code, stderr } = await runTool(
    process.execPath,
    ['scripts/install.js', variant === 'cuda' ? 'gpu' : 'cpu', 'download'],
    { cwd: bindingPackage, timeout: LIMIT_MS },
  );
  clearInterval(reminder);
  if (code === 0 && existsSync(bindingFile)) return undefined;
  // A failed run leaves both incomplete.
  await writeFile(manifest, before);
  await rm(bindingDeps, { recursive: true, force: true });
  return code === 0 ? 'it brought no binding for this system' : complaint(stderr);
}
