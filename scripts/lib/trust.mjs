/**
 * Whether what lies in the cache may be run: it becomes machine code of this process, so that whoever can write it is this user.
 * A file or folder counts as the user's own when it belongs to this user or to root, and nobody else may write it.
 */
import { chmodSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { cacheDir } from './places.mjs';
import { SetupError, say } from './say.mjs';

const GROUP_WRITES = 0o020;
const OTHERS_WRITE = 0o002;

/** What of the cache is run, or becomes what is run. */
const NATIVE = /^(bindings|native-ops|downloads|tensorflow-)/;

/** Why a path is not to be trusted, in a clause; nothing if it is, or is not there. */
export function distrust(path) {
  // Windows has no such rights.
  if (process.getuid === undefined) return undefined;
  const info = statSync(path, { throwIfNoEntry: false });
  if (info === undefined) return undefined;
  const me = process.getuid();
  if (info.uid !== me && info.uid !== 0) return `it belongs to another user (${info.uid}, and this is ${me})`;
  const mode = (info.mode & 0o777).toString(8);
  if (info.mode & OTHERS_WRITE) return `everybody may write it (mode ${mode})`;
  if (info.mode & GROUP_WRITES && !isPrivateGroup(info.gid, me)) return `its group may write it (mode ${mode})`;
  return undefined;
}

/** The first of some paths that is not to be trusted, with the reason. */
export function firstDistrusted(paths) {
  for (const path of paths) {
    const reason = distrust(path);
    if (reason !== undefined) return { path, reason };
  }
  return undefined;
}

/**
 * Refuses to run what others may have written.
 *
 * @param used - what this clone runs from the cache.
 * @throws SetupError saying what to do.
 */
export function requireTrustedCache(used) {
  const reason = distrust(cacheDir);
  // What it holds otherwise is read and never run.
  const native = reason === undefined ? [] : readdirSync(cacheDir).filter((name) => NATIVE.test(name));
  if (reason !== undefined && native.length === 0) close(cacheDir, reason);
  const bad = native.length > 0 ? { path: cacheDir, reason } : firstDistrusted(used);
  if (bad !== undefined) throw refusal(bad);
}

/** Takes the right to write it from others. */
function close(path, reason) {
  try {
    chmodSync(path, statSync(path).mode & ~(GROUP_WRITES | OTHERS_WRITE) & 0o7777);
  } catch {
    throw refusal({ path, reason });
  }
}

function refusal({ path, reason }) {
  return new SetupError(
    `${path} is for what this command runs, but ${reason}: delete it and run this again, or let XDG_CACHE_HOME name a folder of your own`,
  );
}

/** Whether a file of the cache is there and may be run; what others may have written is removed, with a line. */
export async function usable(path) {
  if (!existsSync(path)) return false;
  const folder = dirname(path);
  const bad = firstDistrusted([folder, path]);
  if (bad === undefined) return true;
  await discard(bad.path === folder ? folder : path, bad);
  return false;
}

/** Removes a part of the cache, and says why. */
export async function discard(path, { path: bad, reason }) {
  say(`${bad} in the cache is not used: ${reason}; it is made anew`);
  await rm(path, { recursive: true, force: true });
}

/** Does something so that what it writes is nobody else's to write, whatever the user's mask. */
export async function withOwnMask(body) {
  const before = process.umask();
  process.umask(before | GROUP_WRITES | OTHERS_WRITE);
  try {
    return await body();
  } finally {
    process.umask(before);
  }
}

/** Many systems give each user a group of their own, and let it write: nobody else is in it. */
function isPrivateGroup(gid, me) {
  try {
    const users = fieldsOf('/etc/passwd');
    const name = users.find(([, , uid]) => Number(uid) === me)?.[0];
    const group = fieldsOf('/etc/group').find(([, , id]) => Number(id) === gid);
    if (name === undefined || group === undefined) return false;
    const listed = (group[3] ?? '').split(',').filter((member) => member !== '' && member !== name);
    const primary = users.filter(([, , uid, id]) => Number(id) === gid && Number(uid) !== me);
    return listed.length === 0 && primary.length === 0;
  } catch {
    return false;
  }
}

function fieldsOf(file) {
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
}
