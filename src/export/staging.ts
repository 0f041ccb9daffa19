import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { isExported } from '../infer/index.js';
import { UsageError, withFolderLock } from '../util/index.js';

/**
 * Writes a folder under a temporary name beside its target and then renames it, so that the target is never half-written.
 * Leftovers of a killed process for the same target are removed, or restored.
 *
 * @param overwrite - replace an earlier export; any other folder is kept.
 * @throws UsageError when the folder exists and must not be replaced; InUseError when another process writes it.
 */
export async function stageFolder(target: string, overwrite: boolean, write: (dir: string) => Promise<void>): Promise<void> {
  const place = resolve(target);
  await refuseExisting(place, target, overwrite);
  // The target's own name may already have the maximum length of the file system.
  const stem = `.sonoground-${createHash('sha256').update(basename(place)).digest('hex').slice(0, 12)}`;
  const about = { where: target, doing: 'is exporting to it', instead: 'choose another folder' };
  await withFolderLock(join(dirname(place), `${stem}.lock`), about, async () => {
    await clearUp(place, stem);
    const beside = join(dirname(place), `${stem}-${randomBytes(4).toString('hex')}`);
    await replaceFolder(place, beside, async (dir) => {
      await write(dir);
      // Writing takes minutes, during which the target may have been created.
      await refuseExisting(place, target, overwrite);
    });
  });
}

async function replaceFolder(place: string, beside: string, write: (dir: string) => Promise<void>): Promise<void> {
  const [fresh, old] = [`${beside}.new`, `${beside}.old`];
  try {
    await mkdir(fresh, { recursive: true });
    await write(fresh);
    const replaced = await rename(place, old).then(
      () => true,
      () => false,
    );
    await rename(fresh, place).catch(async (error) => {
      if (replaced) await rename(old, place);
      throw error;
    });
    await rm(old, { recursive: true, force: true });
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    throw error;
  }
}

/** Restores a target that a process killed between two renames left missing. */
async function clearUp(place: string, stem: string): Promise<void> {
  const dir = dirname(place);
  const names = (await readdir(dir)).filter((name) => name.startsWith(`${stem}-`));
  const old = names.find((name) => name.endsWith('.old'));
  const there = (await stat(place).catch(() => undefined)) !== undefined;
  if (old !== undefined && !there) await rename(join(dir, old), place);
  for (const name of names) await rm(join(dir, name), { recursive: true, force: true });
}

async function refuseExisting(place: string, shown: string, overwrite: boolean): Promise<void> {
  const found = await stat(place).catch(() => undefined);
  if (found === undefined || (found.isDirectory() && (await readdir(place)).length === 0)) return;
  if (!overwrite)
    throw new UsageError({
      code: 'E_OUTPUT_EXISTS',
      where: shown,
      what: 'it exists',
      fix: 'Choose another folder, or say --overwrite',
    });
  if (!(await isExported(place)))
    throw new UsageError({
      code: 'E_OUTPUT_EXISTS',
      where: shown,
      what: 'it is not an export, and is not overwritten',
      fix: 'Choose another folder',
    });
}

/** Size and SHA-256 of every file below a folder, by its path with slashes. */
export async function digestFolder(dir: string): Promise<Record<string, { bytes: number; sha256: string }>> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const digests: [string, { bytes: number; sha256: string }][] = [];
  for (const file of files.sort()) {
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
    const { size } = await stat(file);
    digests.push([relative(dir, file).split(sep).join('/'), { bytes: size, sha256: hash.digest('hex') }]);
  }
  return Object.fromEntries(digests);
}
