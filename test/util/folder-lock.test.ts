import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FolderLock, InUseError, withFolderLock } from '../../src/util/index.js';
import { Heartbeat, ownIdentity, type ProcessIdentity, stateOf } from '../../src/util/lock/index.js';
import { expectError } from '../support/expect-error.js';
import { until } from '../support/until.js';

let dir = '';
let file = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lock-'));
  file = join(dir, 'work', '.lock');
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const about = { where: 'runs/us', doing: 'is training in it', instead: 'choose another run.dir' };

/** A lock as another process writes it. */
async function lockOf(owner: Partial<ProcessIdentity> & { readonly beats?: true }): Promise<void> {
  await mkdir(join(dir, 'work'), { recursive: true });
  const text = JSON.stringify({ ...ownIdentity(), since: '2026-01-01T00:00:00.000Z', token: 'another', ...owner });
  await writeFile(file, text);
}

/** The number of a process that has ended. */
async function ended(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await new Promise((resolve) => child.on('close', resolve));
  return child.pid as number;
}

describe('FolderLock', () => {
  it('lets one in, names it to the other, and leaves nothing behind', async () => {
    const lock = await FolderLock.take(file, about);
    const refusal = await FolderLock.take(file, about).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(InUseError);
    expect((refusal as Error).message).toMatch(
      new RegExp(
        `^runs/us: process ${process.pid} is training in it, since \\S+\\. Wait for it to end, or choose another run\\.dir$`,
      ),
    );
    await lock.release();
    expect(await readdir(dir)).toEqual([]);
    const again = await FolderLock.take(file, about);
    await writeFile(join(dir, 'work', 'result'), '');
    await again.release();
    expect(await readdir(join(dir, 'work'))).toEqual(['result']);
  });

  it('lets exactly one of many in, when all find the lock of a process that was killed', async () => {
    await lockOf({ pid: await ended() });
    const takes = await Promise.allSettled(Array.from({ length: 24 }, () => FolderLock.take(file, about)));
    const winners = takes.flatMap((take) => (take.status === 'fulfilled' ? [take.value] : []));
    expect(winners).toHaveLength(1);
    for (const take of takes) if (take.status === 'rejected') expect(take.reason).toBeInstanceOf(InUseError);
    await winners[0]?.release();
    expect(await readdir(join(dir, 'work'))).toEqual([]);
  });

  it('takes over the lock of a process whose number belongs to another one by now', async () => {
    const sleeper = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    try {
      await lockOf({ pid: sleeper.pid as number, started: '1' });
      if (ownIdentity().started === undefined) return; // a system that does not say when a process began
      await (await FolderLock.take(file, about)).release();
      await lockOf({ pid: sleeper.pid as number, started: undefined });
      await expectError(FolderLock.take(file, about), {
        code: 'E_FOLDER_IN_USE',
        what: `process ${sleeper.pid} is training in it`,
      });
    } finally {
      sleeper.kill('SIGKILL');
    }
  });

  it('does not judge a process of another machine, or of another container, and says what to do', async () => {
    await lockOf({ host: 'elsewhere' });
    await expectError(FolderLock.take(file, about), {
      code: 'E_FOLDER_IN_USE',
      what: 'on elsewhere is training in it, since 2026-01-01T00:00:00.000Z; whether it still runs cannot be seen from here',
      fix: `If it has ended delete ${file}`,
    });
    await lockOf({ namespace: 'pid:[1]' });
    await expectError(FolderLock.take(file, about), { code: 'E_FOLDER_IN_USE', what: `on ${hostname()} is training in it` });
  });

  it('takes over from a process of another machine or container only once it shows no sign of life', async () => {
    const waits: string[] = [];
    const patient = { ...about, onWait: (message: string) => void waits.push(message), silentMs: 50 };
    for (const owner of [{ host: 'elsewhere' }, { namespace: 'pid:[1]' }]) {
      await lockOf({ ...owner, beats: true });
      await (await FolderLock.take(file, patient)).release();
    }
    expect(waits[0]).toMatch(/^runs\/us: waiting some minutes for a sign of life of process \d+ on elsewhere, which was last/);
    await lockOf({ host: 'elsewhere', beats: true });
    const heart = new Heartbeat(file, 5);
    await expectError(FolderLock.take(file, { ...patient, silentMs: 60_000 }), {
      code: 'E_FOLDER_IN_USE',
      what: 'on elsewhere is training in it, since 2026-01-01T00:00:00.000Z',
      fix: 'Wait for it to end',
    });
    heart.stop();
  });

  it('is touched while it is held, so that other machines see that its owner runs', async () => {
    const lock = await FolderLock.take(file, { ...about, silentMs: 60 });
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ beats: true });
    const before = await stat(file, { bigint: true });
    await until(async () => (await stat(file, { bigint: true })).mtimeNs !== before.mtimeNs);
    await lock.release();
  });

  it('takes over what a start of the system ended, and what code of this process left', async () => {
    await lockOf({ boot: 'an earlier one' });
    if (ownIdentity().boot !== undefined) await (await FolderLock.take(file, about)).release();
    await lockOf({});
    await (await FolderLock.take(file, about)).release();
  });

  it.each(['', '12345', '{"host":'])('takes over an unreadable lock, as after a power cut: %j', async (text) => {
    await lockOf({});
    await writeFile(file, text);
    const lock = await FolderLock.take(file, about);
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ pid: process.pid });
    await lock.release();
  });

  it('does not remove the lock of another process that came after it was deleted by hand', async () => {
    const lock = await FolderLock.take(file, about);
    await writeFile(file, JSON.stringify({ ...ownIdentity(), since: '', token: 'another' }));
    await lock.release();
    expect(await readFile(file, 'utf8')).toContain('another');
  });

  it('says which file cannot be written', async () => {
    await writeFile(join(dir, 'work'), '');
    await expectError(FolderLock.take(file, about), {
      code: 'E_FILE_WRITE',
      where: file,
      what: 'a part of the path is a file, not a folder',
    });
  });
});

describe('withFolderLock', () => {
  it('is open to what is done within, and shut to other work of the same process', async () => {
    const other: unknown[] = [];
    let begun = () => {};
    const inside = new Promise<void>((resolve) => {
      begun = resolve;
    });
    let end = () => {};
    const ending = new Promise<void>((resolve) => {
      end = resolve;
    });
    const work = withFolderLock(file, about, async () => {
      begun();
      await ending;
      return withFolderLock(file, about, async () => 'within');
    });
    await inside;
    other.push(await withFolderLock(file, about, async () => 'beside').catch((error: unknown) => error));
    end();
    expect(await work).toBe('within');
    expect(other[0]).toBeInstanceOf(InUseError);
    expect(await readdir(dir)).toEqual([]);
  });

  it('gives the lock back when the work fails', async () => {
    await expect(withFolderLock(file, about, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    expect(await readdir(dir)).toEqual([]);
  });
});

describe('stateOf', () => {
  it('tells that a process has ended which its parent has not asked for yet', async () => {
    if (ownIdentity().started === undefined) return;
    // The shell waits for its own input, not for its child.
    const shell = spawn('sh', ['-c', 'sleep 0 & echo $!; read x'], { stdio: ['pipe', 'pipe', 'ignore'] });
    try {
      const pid = Number(await new Promise<string>((resolve) => shell.stdout.once('data', (data) => resolve(String(data)))));
      // Until it has ended it runs: wait for that.
      while ((await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => 'Z)')).match(/\) [SRD]/))
        await new Promise((r) => setImmediate(r));
      expect(stateOf({ ...ownIdentity(), pid, started: undefined })).toBe('gone');
    } finally {
      shell.kill('SIGKILL');
    }
  });
});
