import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { archiveSettings, DicomWebClient, parseArchiveAddress, type StudyInstance } from '../../src/dicomweb/index.js';
import { bodyOf, endOf, FakeArchive, type multipart, smallFile, status } from '../support/fake-archive.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const dir = temporaryFolder('dicomweb');
const STUDY = '1.2.840.1';
const US = { sopClass: '1.2.840.10008.5.1.4.1.1.6.1', modality: 'US', study: STUDY, series: '1.2.840.1.1' };
const image = (k: number, more: object = {}) => {
  const uid = `1.2.840.1.1.${k}`;
  return { ...US, uid, bytes: smallFile(uid, 'x'.repeat(1000)), ...more };
};

let archive: FakeArchive;
let waited: number[];
let warnings: string[];
beforeEach(async () => {
  archive = await new FakeArchive().start();
  waited = [];
  warnings = [];
});
afterEach(() => archive.stop());

function client(env: Record<string, string> = {}, pace: { silenceMs?: number; longestWaitMs?: number } = {}): DicomWebClient {
  const sleep = async (ms: number) => void waited.push(ms);
  const logger = { info: () => {}, warn: (line: string) => void warnings.push(line) };
  return new DicomWebClient({ settings: archiveSettings(archive.address, env), pace: { sleep, attempts: 3, ...pace }, logger });
}

const instance = (k: number): StudyInstance => ({ ...US, uid: `1.2.840.1.1.${k}`, frames: 1, number: k });
const file = () => join(dir, 'one.dcm');

describe('a study is listed', () => {
  it('over pages shorter than were asked for, with frames, and without what is no ultrasound', async () => {
    for (let k = 0; k < 25; k++) archive.objects.push(image(k, k === 3 ? { frames: 30 } : {}));
    archive.objects.push(image(90, { sopClass: '1.2.840.10008.5.1.4.1.1.66.4', modality: 'SEG' }));
    archive.objects.push(image(91, { sopClass: '1.2.840.10008.5.1.4.1.1.7' }));
    archive.objects.push(image(92, { sopClass: '1.2.840.10008.5.1.4.1.1.7', modality: 'CT' }));
    archive.page = 10;
    const { instances, others } = await client().ultrasound(STUDY, undefined);
    expect(instances.map(({ uid }) => uid)).toEqual([...Array(25).keys(), 91].map((k) => `1.2.840.1.1.${k}`));
    expect(instances.map(({ frames }) => frames).filter((frames) => frames > 1)).toEqual([30]);
    expect(others).toBe(2);
  });

  it('though the archive ignores the offset', async () => {
    for (let k = 0; k < 4; k++) archive.objects.push(image(k));
    archive.ignoresOffset = true;
    expect((await client().ultrasound(STUDY, undefined)).instances).toHaveLength(4);
  });

  it('by series', async () => {
    archive.objects.push(image(1), image(2, { series: '1.2.840.1.2' }));
    expect((await client().ultrasound(STUDY, '1.2.840.1.2')).instances.map(({ uid }) => uid)).toEqual(['1.2.840.1.1.2']);
  });

  it('or refused without images, and without anything', async () => {
    await expect(client().ultrasound(STUDY, undefined)).rejects.toMatchObject({ code: 'E_DICOMWEB_NOT_FOUND' });
    archive.objects.push(image(1, { sopClass: '1.2.840.10008.5.1.4.1.1.88.33', modality: 'SR' }));
    await expect(client().ultrasound(STUDY, undefined)).rejects.toMatchObject({ code: 'E_NO_IMAGES' });
  });

  it('or refused where something else answers', async () => {
    archive.fail('GET', (_, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html>Anna Muster'),
    );
    const error = await client()
      .ultrasound(STUDY, undefined)
      .catch((cause: Error) => cause);
    expect(error).toMatchObject({ code: 'E_DICOMWEB_ANSWER', message: expect.stringMatching(/got a page/) });
    expect(String(error)).not.toMatch(/Anna/);
    archive.fail('GET', (_, response) => response.end('[{"00080018": {"vr": "UI", "Value": ["../../etc"]}}]'));
    await expect(client().ultrasound(STUDY, undefined)).rejects.toMatchObject({ code: 'E_DICOMWEB_ANSWER' });
  });
});

describe('an instance is fetched', () => {
  it.each(['the-edge', 'a', "odd '()+_,-./:=?edge", '----=_Part_1_2.3', '-'.repeat(69)])(
    'with the boundary %j',
    async (boundary) => {
      archive.boundary = boundary;
      // Holds what looks like the beginning of a boundary, line ends, and the boundary without its line.
      const bytes = smallFile('1.2.840.1.1.1', `\r\n--${boundary.slice(0, -1)}\r\n\r\n--\r\n${boundary}\r\n--`);
      archive.objects.push(image(1, { bytes }));
      await client().fetch(instance(1), file());
      expect(await readFile(file())).toEqual(bytes);
    },
  );

  it('in pieces of one byte, with a preamble, headers and an epilogue', async () => {
    const bytes = smallFile('1.2.840.1.1.1', 'abc\r\n\r\n--xy');
    archive.fail('GET', async (_, response) => {
      response.writeHead(200, { 'content-type': 'Multipart/Related;boundary="xyz";type="application/dicom"' });
      const body = [
        'preamble\r\n--xyz\r\nContent-Type: application/dicom\r\nContent-Location: /a\r\n\r\n',
        bytes,
        '\r\n--xyz--\r\nepilogue',
      ];
      const whole = Buffer.concat(body.map((part) => Buffer.from(part)));
      for (const byte of whole) await new Promise((resolve) => response.write(Buffer.from([byte]), resolve));
      response.end();
    });
    await client().fetch(instance(1), file());
    expect(await readFile(file())).toEqual(bytes);
  });

  it('as a bare file, where that is what comes', async () => {
    const bytes = smallFile('1.2.840.1.1.1');
    archive.fail('GET', (_, response) => response.writeHead(200, { 'content-type': 'application/dicom' }).end(bytes));
    await client().fetch(instance(1), file());
    expect(await readFile(file())).toEqual(bytes);
  });

  it('in the default transfer syntax, where an archive knows no other', async () => {
    archive.objects.push(image(1), image(2));
    archive.fail('GET', status(406));
    const own = client();
    await own.fetch(instance(1), file());
    await own.fetch(instance(2), file());
    expect(archive.asked).toHaveLength(3);
  });

  it('again after half a body, with and without a length', async () => {
    const bytes = smallFile('1.2.840.1.1.1', 'y'.repeat(5000));
    archive.objects.push(image(1, { bytes }));
    const type = { 'content-type': 'multipart/related; type="application/dicom"; boundary=e' };
    const begin = Buffer.concat([Buffer.from('--e\r\n\r\n'), bytes]);
    archive.fail(
      'GET',
      (_, response) => {
        response.writeHead(200, { ...type, 'content-length': begin.length + endOf('e').length });
        response.write(begin.subarray(0, 2000), () => response.destroy());
      },
      (_, response) => response.writeHead(200, type).end(begin.subarray(0, 2000)),
    );
    await client().fetch(instance(1), file());
    expect(await readFile(file())).toEqual(bytes);
    expect(waited).toEqual([1000, 2000]);
  });

  it('not at all where bodies always end early: nothing is left on the disk', async () => {
    const half = (_: unknown, response: Parameters<typeof multipart>[0]) =>
      response.writeHead(200, { 'content-type': 'multipart/related; boundary=e' }).end(`--e\r\n\r\n${'z'.repeat(400)}`);
    archive.fail('GET', half, half, half);
    await expect(client().fetch(instance(1), join(dir, 'half', 'one.dcm'))).rejects.toMatchObject({
      code: 'E_DICOMWEB_ANSWER',
      message: expect.stringMatching(/it did not arrive whole: it ended before its last boundary/),
    });
    expect(await readdir(join(dir, 'half'))).toEqual([]);
  });

  it.each([
    ['a page', { 'content-type': 'text/html' }, 'login'],
    ['no type', {}, 'x'],
    ['a type that cannot be parsed', { 'content-type': 'multi part' }, 'x'],
    ['no boundary', { 'content-type': 'multipart/related' }, 'x'],
    ['other bytes', { 'content-type': 'application/dicom' }, 'x'.repeat(500)],
    [
      'two parts',
      { 'content-type': 'multipart/related; boundary=e' },
      `--e\r\n\r\n${smallFile('1.2')}\r\n--e\r\n\r\n${smallFile('1.3')}\r\n--e--`,
    ],
    ['no part', { 'content-type': 'multipart/related; boundary=e' }, '--e--'],
  ])('not from %s', async (_, headers, body) => {
    for (let k = 0; k < 3; k++) archive.fail('GET', (_request, response) => response.writeHead(200, headers).end(body));
    await expect(client().fetch(instance(1), file())).rejects.toMatchObject({ code: 'E_DICOMWEB_ANSWER' });
  });

  it('not where the archive does not have it', async () => {
    await expect(client().fetch(instance(7), file())).rejects.toMatchObject({ name: 'DataError', code: 'E_DICOMWEB_NOT_FOUND' });
    expect(archive.asked).toHaveLength(1);
  });
});

describe('an archive that fails for a while', () => {
  it('is asked again, after as long as it says', async () => {
    archive.objects.push(image(1));
    archive.fail('GET', status(503), status(429, { 'retry-after': '7' }));
    await client().ultrasound(STUDY, undefined);
    expect(waited).toEqual([1000, 7000]);
    expect(warnings[1]).toMatch(/answers 429, and asks to wait 7 s; trying again in 7 s/);
  });

  it('is given up when it fails on, or asks for too long a wait', async () => {
    archive.fail('GET', status(500), status(502), status(504));
    await expect(client().ultrasound(STUDY, undefined)).rejects.toMatchObject({ code: 'E_DICOMWEB_BUSY' });
    archive.fail('GET', status(503, { 'retry-after': '3600' }));
    await expect(client().ultrasound(STUDY, undefined)).rejects.toThrow(/asks to wait 3600 s/);
    expect(archive.asked).toHaveLength(4);
  });

  it('is given up when nothing listens there, or nothing comes', async () => {
    archive.fail(
      'GET',
      () => {},
      () => {},
      () => {},
    );
    await expect(client({}, { silenceMs: 50 }).ultrasound(STUDY, undefined)).rejects.toMatchObject({
      code: 'E_DICOMWEB_UNREACHABLE',
      message: expect.stringMatching(/it does not answer/),
    });
    const own = client();
    archive.stop();
    await expect(own.ultrasound(STUDY, undefined)).rejects.toMatchObject({
      code: 'E_DICOMWEB_UNREACHABLE',
      message: expect.stringMatching(/refuses the connection/),
    });
  });

  it.each([
    [401, 'E_DICOMWEB_DENIED'],
    [403, 'E_DICOMWEB_DENIED'],
    [418, 'E_DICOMWEB_ANSWER'],
  ])('is not asked again after %d', async (code, expected) => {
    archive.fail('GET', status(code));
    await expect(client().ultrasound(STUDY, undefined)).rejects.toMatchObject({ code: expected });
    expect(archive.asked).toHaveLength(1);
  });

  it('is not followed to another host', async () => {
    archive.fail('GET', status(302, { location: 'http://127.0.0.1:1/login' }));
    await expect(client({ SONOGROUND_DICOMWEB_TOKEN: 'secret' }).ultrasound(STUDY, undefined)).rejects.toMatchObject({
      code: 'E_DICOMWEB_ANSWER',
      message: expect.stringMatching(/it redirects to "http:\/\/127\.0\.0\.1:1"/),
    });
  });
});

describe('objects are stored', () => {
  const seg = { uid: '2.25.1', label: 'SEG', bytes: smallFile('2.25.1', 'seg') };
  const sr = { uid: '2.25.2', label: 'SR', bytes: smallFile('2.25.2', 'sr\r\n--') };
  const stored = () => archive.objects.map(({ uid }) => uid);

  it('in one request, byte by byte', async () => {
    await client().store(STUDY, [seg, sr]);
    expect(archive.sent).toEqual([[seg.bytes, sr.bytes]]);
    expect(archive.asked).toEqual([`POST /studies/${STUDY}`]);
  });

  it('once, though the answer was lost', async () => {
    archive.fail('POST', async (request, response) => {
      const body = await bodyOf(request);
      expect(body.length).toBeGreaterThan(100);
      archive.objects.push({ ...image(1), uid: seg.uid }, { ...image(1), uid: sr.uid });
      response.destroy();
    });
    await client().store(STUDY, [seg, sr]);
    expect(archive.sent).toEqual([]);
    expect(stored()).toEqual([seg.uid, sr.uid]);
  });

  it('without a second copy of the one that arrived before the answer was lost', async () => {
    archive.fail('POST', async (request, response) => {
      await bodyOf(request);
      archive.objects.push({ ...image(1), uid: seg.uid });
      response.destroy();
    });
    await client().store(STUDY, [seg, sr]);
    expect(archive.sent).toEqual([[sr.bytes]]);
  });

  it('though the archive answers in XML', async () => {
    archive.fail('POST', (request, response) => {
      request.resume();
      response.writeHead(200, { 'content-type': 'application/dicom+xml' }).end('<NativeDicomModel/>');
    });
    await client().store(STUDY, [seg, sr]);
    expect(archive.asked).toHaveLength(1);
  });

  it('or the message names the one that was refused, and the one that is there', async () => {
    archive.refuses = (uid) => (uid === sr.uid ? 0x0122 : undefined);
    const error = await client()
      .store(STUDY, [seg, sr])
      .catch((cause: Error) => cause);
    expect(error).toMatchObject({ name: 'DicomWebError', code: 'E_DICOMWEB_REFUSED' });
    expect(String(error)).toMatch(/SR 2\.25\.2: it does not take this kind of object \(122\)/);
    expect(String(error)).toMatch(/the archive has SEG 2\.25\.1 without it/);
  });

  it('or the message says that none was', async () => {
    archive.refuses = () => 0x0110;
    await expect(client().store(STUDY, [seg, sr])).rejects.toThrow(/processing failure.*nothing of it was stored/);
  });

  it('once, where one was there from before and is refused as a duplicate', async () => {
    archive.objects.push({ ...image(1), uid: seg.uid });
    archive.refuses = (uid) => (uid === seg.uid ? 0x0111 : undefined);
    await client().store(STUDY, [seg, sr]);
    expect(stored()).toEqual([seg.uid, sr.uid]);
  });

  it('or too large for the archive', async () => {
    archive.fail('POST', status(413));
    await expect(client().store(STUDY, [seg, sr])).rejects.toMatchObject({ code: 'E_DICOMWEB_TOO_LARGE' });
  });
});

describe('credentials', () => {
  it('go along as a token, or as user and password in UTF-8', async () => {
    archive.objects.push(image(1));
    await client({ SONOGROUND_DICOMWEB_TOKEN: 'abc' }).ultrasound(STUDY, undefined);
    await client({ SONOGROUND_DICOMWEB_USER: 'ärztin', SONOGROUND_DICOMWEB_PASSWORD: 'a:b' }).ultrasound(STUDY, undefined);
    await client().ultrasound(STUDY, undefined);
    expect([...new Set(archive.authorizations)]).toEqual([
      'Bearer abc',
      `Basic ${Buffer.from('ärztin:a:b').toString('base64')}`,
      undefined,
    ]);
  });

  it.each([
    [{ SONOGROUND_DICOMWEB_TOKEN: 'a', SONOGROUND_DICOMWEB_USER: 'b', SONOGROUND_DICOMWEB_PASSWORD: 'c' }],
    [{ SONOGROUND_DICOMWEB_USER: 'b' }],
    [{ SONOGROUND_DICOMWEB_PASSWORD: 'c' }],
    [{ SONOGROUND_DICOMWEB_TOKEN: 'a b' }],
    [{ SONOGROUND_DICOMWEB_USER: 'a:b', SONOGROUND_DICOMWEB_PASSWORD: 'c' }],
  ])('that contradict each other are refused: %j', (env) => {
    expect(() => archiveSettings('https://archive.example.org/dicom-web', env)).toThrow(
      expect.objectContaining({ code: 'E_ENVIRONMENT' }),
    );
  });

  it('are not sent over a network without encryption', () => {
    const env = { SONOGROUND_DICOMWEB_TOKEN: 'abc' };
    expect(() => archiveSettings('http://archive.example.org/dicom-web', env)).toThrow(/anybody on the way can read it/);
    expect(archiveSettings('http://localhost:8042/dicom-web', env).authorization).toBe('Bearer abc');
    expect(archiveSettings('http://archive.example.org/dicom-web', {}).authorization).toBeUndefined();
  });
});

describe('an address', () => {
  it('loses its last slashes', () => {
    expect(parseArchiveAddress('https://archive.example.org/dicom-web//')).toBe('https://archive.example.org/dicom-web');
  });

  it.each(['archive.example.org', 'ftp://a/b', 'https://a/b?c=d', 'https://anna:secret@a/b'])('is refused: %s', (text) => {
    expect(() => parseArchiveAddress(text)).toThrow(expect.objectContaining({ code: 'E_DICOMWEB_ADDRESS' }));
    expect(() => parseArchiveAddress(text)).not.toThrow(/secret/);
  });
});
