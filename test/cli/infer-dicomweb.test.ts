import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { nanoModels } from '../../src/pretrained/index.js';
import { runCommand } from '../support/command.js';
import { FakeArchive, status } from '../support/fake-archive.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { type Study, ultrasoundStudy } from '../support/ultrasound-study.js';

const dir = temporaryFolder('infer-dicomweb');
const STUDY = '1.2.840.99999.7';
const SECRET = 'a-secret-token';

let archive: FakeArchive;
let study: Study;
const before = { ...process.env };
beforeAll(async () => {
  study = await ultrasoundStudy(STUDY, 2, 0);
});
beforeEach(async () => {
  archive = await new FakeArchive().start();
  for (const instance of study.instances) archive.objects.push({ ...instance, study: STUDY, modality: 'US' });
  process.env['SONOGROUND_DICOMWEB_TOKEN'] = SECRET;
});
afterEach(() => {
  archive.stop();
  process.env = { ...before };
});

const infer = (out: string, more: readonly string[] = [], address = archive.address) =>
  runCommand([
    ...['infer', '--dicomweb', address, '--prompt', 'cyst. kidney. mass.', '--threshold', '0.05', '--out', join(dir, out)],
    ...['--detector', nanoModels.detector, '--masker', nanoModels.masker],
    ...(more.includes('--study') ? more : ['--study', STUDY, ...more]),
  ]);
const labels = () => archive.sent.map((files) => files.length);

describe('infer --dicomweb', () => {
  it('names what is there and what is not where an archive refuses the report, and sends that alone the next time', async () => {
    let refused: string | undefined;
    let seen = 0;
    archive.refuses = (uid) => {
      seen += 1;
      if (seen === 2) refused = uid;
      return uid === refused ? 0x0122 : undefined;
    };
    const first = await infer('half');
    expect([first.code, first.text]).toEqual([1, expect.stringMatching(/SR [\d.]+: it does not take this kind of object/)]);
    expect(first.text).toMatch(/the archive has SEG [\d.]+ without it/);
    expect(labels()).toEqual([2]);
    archive.refuses = () => undefined;
    const second = await infer('half');
    expect([second.code, second.text]).toEqual([0, expect.stringMatching(/3 objects stored in .*, 1 were there/)]);
    expect(second.text).toMatch(/the archive has SEG [\d.]+ from before, and gets SR [\d.]+ now/);
    expect(labels()).toEqual([2, 1, 2]);
  });

  it('skips an instance that the archive does not give, and stores the others', async () => {
    archive.fail(`GET /studies/${STUDY}/series`, status(404));
    const { code, text } = await infer('missing');
    expect([code, text]).toEqual([1, expect.stringMatching(/instance [\d.]+: the archive does not have it \(404\)/)]);
    expect(labels()).toEqual([2]);
    expect(await readdir(join(dir, 'missing', 'instances'))).toHaveLength(1);
  });

  it.each([
    ['accepts no credentials', () => archive.fail('GET', status(401)), /does not accept these credentials \(401\)/],
    ['is full', () => archive.fail('POST', status(413)), /does not take so much at once \(413\)/],
    ['is away', () => archive.stop(), /refuses the connection/],
  ])(
    'ends where the archive %s, without the token in what it prints or writes',
    async (name, fault, expected) => {
      const { address } = archive;
      fault();
      const out = name.replaceAll(' ', '-');
      const { code, text } = await infer(out, [], address);
      expect([code, text]).toEqual([1, expect.stringMatching(expected)]);
      expect(text).not.toContain(SECRET);
      expect(await readFile(join(dir, out, 'dicomweb.json'), 'utf8')).not.toContain(SECRET);
    },
    120_000,
  );

  it('refuses a study without ultrasound, and one that there is not', async () => {
    archive.objects.length = 0;
    expect((await infer('none')).text).toMatch(/lists nothing of it/);
    archive.objects.push({
      study: STUDY,
      series: '1.2',
      uid: '1.3',
      sopClass: '1.2.840.10008.5.1.4.1.1.2',
      modality: 'CT',
      bytes: Buffer.alloc(0),
    });
    expect((await infer('none')).text).toMatch(/none of its 1 objects is an ultrasound image/);
  });

  it('refuses the folder of another study', async () => {
    archive.fail('GET', status(401));
    await infer('taken');
    const { code, text } = await infer('taken', ['--study', '1.2.3']);
    expect([code, text]).toEqual([2, expect.stringMatching(/it holds results of the study 1\.2\.840\.99999\.7/)]);
  });

  it.each([
    [['--study', 'no uid'], /expected a UID/],
    [['--series', '1.2.'], /expected a UID/],
    [['--image', 'a.png'], /images of an archive do not take it/],
    [['--shard', '0/2'], /images of an archive do not take it/],
  ])('refuses %j', async (more, expected) => {
    const { code, text } = await infer('refused', more);
    expect([code, text]).toEqual([2, expect.stringMatching(expected)]);
  });

  it('refuses a password in the address without repeating it, and a study without an archive', async () => {
    const { code, text } = await infer('refused', [], 'https://anna:hidden@archive.example.org/dicom-web');
    expect([code, text]).toEqual([2, expect.stringMatching(/it holds a name or password/)]);
    expect(text).not.toMatch(/hidden/);
    const alone = await runCommand(['infer', '--study', '1.2', '--prompt', 'cyst', '--out', join(dir, 'refused')]);
    expect([alone.code, alone.text]).toEqual([2, expect.stringMatching(/--study is of an archive, and none is named/)]);
  });
});
