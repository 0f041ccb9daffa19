/** Lets one process at a time do a piece of work, also when others run in other clones. */
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { say } from './say.mjs';

/** A lock without an owner's number is given up after this long: its owner died while taking it. */
const NAMELESS_MS = 10_000;

/** Runs `body` while holding the lock `path`, a folder. A lock whose owner has died is taken over. */
export async function withLock(path, body) {
  await mkdir(dirname(path), { recursive: true });
  let told = false;
  while (!(await take(path))) {
    if (!told) say('another set-up is running; waiting for it');
    told = true;
    await sleep(300);
  }
  try {
    return await body();
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

async function take(path) {
  try {
    await mkdir(path);
    await writeFile(join(path, 'pid'), String(process.pid));
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (await abandoned(path)) await rm(path, { recursive: true, force: true });
    return false;
  }
}

async function abandoned(path) {
  const pid = Number(await readFile(join(path, 'pid'), 'utf8').catch(() => ''));
  if (pid > 0) return !alive(pid);
  const info = await stat(path).catch(() => undefined);
  return info !== undefined && Date.now() - info.mtimeMs > NAMELESS_MS;
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
