import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Default folder of runs, and the file that identifies one. */
const RUNS = 'runs';
const RUN_FILE = 'config.yaml';

/** The configuration of the most recent run below `runs`; undefined if there is none. */
export async function newestRun(): Promise<string | undefined> {
  const names = await readdir(RUNS).catch(() => []);
  const files = await Promise.all(
    names.map(async (name) => {
      const path = join(RUNS, name, RUN_FILE);
      const info = await stat(path).catch(() => undefined);
      return info === undefined ? [] : [{ path, time: info.mtimeMs }];
    }),
  );
  return files.flat().sort((a, b) => b.time - a.time)[0]?.path;
}
