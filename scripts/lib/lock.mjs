/** Mutual exclusion between processes, including those of other clones. */
import { readFileSync } from 'node:fs';
import { mkdir, open, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { say } from './say.mjs';

const POLL_MS = 200;
/** Interval at which a lock's owner touches it. */
const HEARTBEAT_MS = 5000;
/** A lock held by another machine is abandoned after this long without a heartbeat. */
const SILENT_MS = 60_000;
/** A lock without an owner is abandoned too: its owner died while acquiring it. */
const NAMELESS_MS = 5000;

/** Locks held by this process: path to owner. */
const held = new Map();

/** Runs `body` while holding the lock file. If a lock's owner and all its children have died, the lock is taken over. */
export async function withLock(path, body) {
  await mkdir(dirname(path), { recursive: true });
  let told = false;
  while (!(await take(path))) {
    if (await abandoned(path)) {
      await takeOver(path);
      continue;
    }
    if (!told) say('another set-up is at work; waiting for it');
    told = true;
    await sleep(POLL_MS);
  }
  const heartbeat = setInterval(() => utimes(path, new Date(), new Date()).catch(() => {}), HEARTBEAT_MS);
  heartbeat.unref();
  try {
    return await body();
  } finally {
    clearInterval(heartbeat);
    held.delete(path);
    await rm(path, { force: true });
  }
}

/** Records in every held lock a child process that works under it and may outlive this process. */
export async function noteChild(pid) {
  for (const [path, owner] of held) {
    owner.children.push(identity(pid));
    await writeFile(path, JSON.stringify(owner));
  }
}

async function take(path) {
  const owner = { host: hostname(), ...identity(process.pid), children: [] };
  const file = await open(path, 'wx').catch((error) => {
    if (error.code === 'EEXIST') return undefined;
    throw error;
  });
  if (file === undefined) return false;
  await file.writeFile(JSON.stringify(owner));
  await file.close();
  held.set(path, owner);
  return true;
}

/** Serialised, so that nobody removes a lock that has just been taken over. */
async function takeOver(path) {
  const right = `${path}.takeover`;
  const file = await open(right, 'wx').catch(() => undefined);
  if (file === undefined) {
    if ((await age(right)) > NAMELESS_MS) await rm(right, { force: true });
    await sleep(POLL_MS);
    return;
  }
  await file.close();
  if (await abandoned(path)) await rm(path, { recursive: true, force: true });
  await rm(right, { force: true });
}

async function abandoned(path) {
  const text = await readFile(path, 'utf8').catch((error) => (error.code === 'ENOENT' ? undefined : ''));
  if (text === undefined) return false;
  const owner = parse(text);
  if (owner === undefined) return (await age(path)) > NAMELESS_MS;
  if (owner.host !== hostname()) return (await age(path)) > SILENT_MS;
  return ![owner, ...owner.children].some(alive);
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function age(path) {
  const info = await stat(path).catch(() => undefined);
  return info === undefined ? 0 : Date.now() - info.mtimeMs;
}

/** Identifies a process; where available, the start time distinguishes it from a later one with the same id. */
function identity(pid) {
  return { pid, started: startOf(pid) };
}

function startOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? 'ended' : fields[19];
  } catch {
    return undefined;
  }
}

function alive({ pid, started }) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
  return started === undefined || startOf(pid) === started;
}
