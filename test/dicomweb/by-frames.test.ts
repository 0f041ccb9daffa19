import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { archiveSettings, DicomWebClient, parseArchiveAddress } from '../../src/dicomweb/index.js';
import { keptIdentity, readSourceInstance } from '../../src/evidence/index.js';
import { DicomFile } from '../../src/imaging/index.js';
import { fetchStudy } from '../../src/workflows/index.js';
import { Orthanc, orthancMissing } from '../support/orthanc.js';
import { describeUnless } from '../support/skipped.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { type Study, ultrasoundStudy } from '../support/ultrasound-study.js';
import { WatchedProxy } from '../support/watched-proxy.js';

const dir = temporaryFolder('by-frames');
const FRAMES = 35; // three requests, the last one of three frames

describeUnless(orthancMissing, 'a clip in Orthanc that is too large as a whole', () => {
  let orthanc: Orthanc;
  let proxy: WatchedProxy;
  let study: Study;
  const asked: string[] = [];
  beforeAll(async () => {
    orthanc = await Orthanc.start();
    proxy = await WatchedProxy.start(orthanc.address);
    study = await ultrasoundStudy('1.2.840.99999.9', 1, FRAMES);
    for (const { bytes } of study.instances) await orthanc.put(bytes);
  });
  afterAll(async () => {
    proxy?.stop();
    await orthanc?.stop();
  });

  const fetched = (out: string, mostBytes: number) => {
    const settings = archiveSettings(parseArchiveAddress(proxy.address), orthanc.env);
    const client = new DicomWebClient({ settings, mostBytes, pace: { sleep: async () => {} } });
    asked.length = 0;
    return fetchStudy({ client, study: study.uid, out: join(dir, out) }, 'stop');
  };
  const clip = () => study.instances.at(-1) as Study['instances'][number];
  /** Between what all frames take uncompressed, 430,080 bytes, and compressed. */
  const LIMIT = 400_000;

  it('is fetched frame by frame, with the same pixels, scale, patient and references', async () => {
    proxy.watch = async (moment, _, path) => {
      if (moment === 'asked') asked.push(path);
    };
    const { instances, byFrames } = await fetched('frames', LIMIT);
    expect([instances.length, byFrames]).toEqual([2, [clip().uid]]);
    const numbers = asked.flatMap((path) => /\/frames\/([\d,]+)/.exec(path)?.[1]?.split(',').length ?? []);
    expect(numbers).toEqual([16, 16, 3]);
    const file = join(dir, 'frames', 'instances', `${clip().uid}.dcm`);
    expect((await stat(file)).size).toBeLessThan(LIMIT);
    const bytes = await readFile(file);
    const [own, original] = await Promise.all([DicomFile.parse(bytes, file), DicomFile.parse(clip().bytes, 'original.dcm')]);
    expect(own.header.frames).toBe(FRAMES);
    expect(own.header.transferSyntax).toBe('1.2.840.10008.1.2.4.80');
    for (let frame = 0; frame < FRAMES; frame++) expect(await own.image(frame)).toEqual(await original.image(frame));
    const source = (from: Uint8Array) => readSourceInstance(from, 'clip.dcm', keptIdentity());
    expect(await source(bytes)).toEqual(await source(clip().bytes));
  });

  it('asks again only for the frames that did not arrive', async () => {
    let broken = 0;
    proxy.watch = async (moment, _, path) => {
      if (moment === 'asked') asked.push(path);
      if (moment !== 'asked' || broken > 0 || !/\/frames\/17,/.test(path)) return;
      broken += 1;
      proxy.drop();
    };
    const { byFrames } = await fetched('broken', LIMIT);
    expect([broken, byFrames.length]).toEqual([1, 1]);
    const first = asked.flatMap((path) => /\/frames\/(\d+)/.exec(path)?.[1] ?? []);
    expect(first).toEqual(['1', '17', '17', '33']);
  });

  it('is refused if it is too large in this form too, and leaves no file', async () => {
    await expect(fetched('small', 100_000)).rejects.toMatchObject({ code: 'E_FILE_TOO_LARGE', where: `instance ${clip().uid}` });
    await expect(stat(join(dir, 'small', 'instances', `${clip().uid}.dcm`))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
