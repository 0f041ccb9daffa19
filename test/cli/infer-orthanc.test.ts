import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { nanoModels } from '../../src/pretrained/index.js';
import { runCommand } from '../support/command.js';
import { Orthanc, orthancMissing } from '../support/orthanc.js';
import { describeUnless } from '../support/skipped.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { type Study, ultrasoundStudy } from '../support/ultrasound-study.js';
import { until } from '../support/until.js';
import { type Moment, WatchedProxy } from '../support/watched-proxy.js';

const dir = temporaryFolder('infer-orthanc');

describeUnless(orthancMissing, 'a study in Orthanc', () => {
  let orthanc: Orthanc;
  let proxy: WatchedProxy;
  let study: Study;
  const before = { ...process.env };
  beforeAll(async () => {
    orthanc = await Orthanc.start();
    proxy = await WatchedProxy.start(orthanc.address);
    Object.assign(process.env, orthanc.env);
    study = await ultrasoundStudy('1.2.840.99999.5', 2, 3);
    for (const { bytes } of study.instances) await orthanc.put(bytes);
    // Of another modality, and not segmented.
    await orthanc.put((await ultrasoundStudy('1.2.840.99999.6', 1, 0)).instances[0]?.bytes as Buffer);
  });
  afterAll(async () => {
    process.env = before;
    proxy?.stop();
    await orthanc?.stop();
  });

  const words = (out: string) => [
    'infer',
    ...['--dicomweb', proxy.address, '--study', study.uid, '--prompt', 'cyst. kidney. mass.', '--threshold', '0.05'],
    ...['--detector', nanoModels.detector, '--masker', nanoModels.masker, '--out', join(dir, out)],
  ];
  /** SEG and SR in the archive, by UID. */
  const results = async () => ({ seg: await orthanc.filesOf('SEG'), sr: await orthanc.filesOf('SR') });
  const onDisk = async (out: string) => {
    const folder = join(dir, out, 'dicom');
    const names = (await readdir(folder)).filter((name) => name.endsWith('.dcm')).sort();
    return Promise.all(names.map((name) => readFile(join(folder, name), 'base64')));
  };
  const base64 = (files: Iterable<Buffer>) => [...files].map((bytes) => bytes.toString('base64')).sort();
  let whole: Awaited<ReturnType<typeof results>>;

  it('goes to a segmentation and a report of each image beside it, by one command', async () => {
    const { code, text } = await runCommand(words('whole'));
    expect([code, text]).toEqual([0, expect.stringMatching(/3 ultrasound images and clips, 5 frames; 0 other objects/)]);
    expect(text).toMatch(/6 objects stored in http/);
    expect(text).not.toContain(orthanc.env['SONOGROUND_DICOMWEB_PASSWORD']);
    whole = await results();
    expect([whole.seg.size, whole.sr.size]).toEqual([3, 3]);
    // Byte by byte what was written here, and no study or patient more.
    expect(base64([...whole.seg.values(), ...whole.sr.values()])).toEqual((await onDisk('whole')).sort());
    expect(await orthanc.counts()).toEqual({ studies: 2, patients: 1 });
    expect(proxy.stored.map((files) => files.length)).toEqual([2, 2, 2]);
  });

  it('is left as it is by the same command, and by one that has lost its folder', async () => {
    const sent = proxy.stored.length;
    expect((await runCommand(words('whole'))).text).toMatch(/0 objects stored in .*, 6 were there/);
    expect((await runCommand(words('lost'))).text).toMatch(/0 objects stored in .*, 6 were there/);
    expect(proxy.stored.length).toBe(sent);
    const now = await results();
    expect([base64(now.seg.values()), base64(now.sr.values())]).toEqual([base64(whole.seg.values()), base64(whole.sr.values())]);
  });

  const moments: readonly (readonly [name: string, moment: Moment, method: string, nth: number])[] = [
    ['while it fetches', 'answered', 'GET', 3],
    ['before the first pair is stored', 'asked', 'POST', 1],
    ['after the archive has a pair, before it knows', 'answered', 'POST', 2],
    ['between two pairs', 'asked', 'POST', 3],
  ];
  it.each(moments)('is stored once though the command is killed %s', async (name, moment, method, nth) => {
    await orthanc.remove('SEG');
    await orthanc.remove('SR');
    proxy.stored.length = 0;
    const out = name.replaceAll(' ', '-');
    const child = spawn(process.execPath, [resolve('dist/command-line/index.js'), ...words(out)], {
      stdio: 'ignore',
      env: { ...process.env },
    });
    const over = new Promise((done) => child.once('exit', done));
    let seen = 0;
    proxy.watch = async (now, how) => {
      if (now !== moment || how !== method) return;
      seen += 1;
      if (seen !== nth) return;
      child.kill('SIGKILL');
      await over;
    };
    await over;
    expect([child.signalCode, seen]).toEqual(['SIGKILL', nth]);
    proxy.watch = async () => {};
    const { code, text } = await runCommand(words(out));
    expect([code, text]).toEqual([0, expect.stringMatching(/objects stored in/)]);
    const now = await results();
    expect([[...now.seg.keys()].sort(), [...now.sr.keys()].sort()]).toEqual([
      [...whole.seg.keys()].sort(),
      [...whole.sr.keys()].sort(),
    ]);
    expect(base64([...now.seg.values(), ...now.sr.values()])).toEqual((await onDisk(out)).sort());
    // No object reached the archive twice.
    expect(proxy.stored.map((files) => files.length)).toEqual([2, 2, 2]);
    expect(new Set(proxy.stored.flat().map((bytes) => bytes.toString('base64'))).size).toBe(6);
  });

  it('is stored once though the command is killed while it segments', async () => {
    await orthanc.remove('SEG');
    await orthanc.remove('SR');
    proxy.stored.length = 0;
    const child = spawn(process.execPath, [resolve('dist/command-line/index.js'), ...words('segmenting')], {
      stdio: 'ignore',
      env: { ...process.env },
    });
    const over = new Promise((done) => child.once('exit', done));
    const overlays = () => readdir(join(dir, 'segmenting', 'overlays')).catch(() => []);
    await until(async () => child.exitCode !== null || (await overlays()).length > 1);
    child.kill('SIGKILL');
    await over;
    expect(child.signalCode).toBe('SIGKILL');
    expect((await runCommand(words('segmenting'))).code).toBe(0);
    expect(proxy.stored.map((files) => files.length)).toEqual([2, 2, 2]);
    expect([...(await results()).seg.keys()].sort()).toEqual([...whole.seg.keys()].sort());
  });

  it('is followed through its clip, and says that the single images are left out', async () => {
    await orthanc.remove('SEG');
    await orthanc.remove('SR');
    const { code, text } = await runCommand([...words('tracked'), '--track']);
    expect([code, text]).toEqual([0, expect.stringMatching(/2 images of a single frame are left out/)]);
    const { seg, sr } = await results();
    expect([seg.size, sr.size]).toEqual([1, 1]);
  });
});
