import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { encodePng, hasFfmpeg, type OpenedClip, openClip, writeMp4, writeWebp } from '../../../src/imaging/index.js';
import { DataError } from '../../../src/util/index.js';
import { dicom } from '../../support/dicom.js';
import { expectError } from '../../support/expect-error.js';
import { describeUnless, itUnless } from '../../support/skipped.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { tiffOfPages } from '../../support/tiff.js';

const dir = temporaryFolder('clips');
const opened: OpenedClip[] = [];
afterEach(() => Promise.all(opened.splice(0).map((clip) => clip.close())));

async function open(path: string): Promise<OpenedClip> {
  const clip = await openClip(path);
  opened.push(clip);
  return clip;
}

/** A frame whose brightness says its number. */
function frame(index: number, width = 34, height = 26) {
  return { width, height, data: new Uint8Array(width * height * 3).fill(shade(index)) };
}

const shade = (index: number) => 20 + 6 * index;

async function numbered(name: string, numbers: readonly number[], size: readonly [number, number] = [34, 26]): Promise<string> {
  const folder = join(dir, name);
  mkdirSync(folder, { recursive: true });
  for (const i of numbers) writeFileSync(join(folder, `frame_${i}.png`), await encodePng(frame(i, ...size)));
  return folder;
}

async function shadesOf(clip: OpenedClip, order: readonly number[]): Promise<number[]> {
  const shades: number[] = [];
  for (const i of order) shades.push((await clip.frame(i)).data[300] as number);
  return shades;
}

const bytes = (index: number, size: number) => new Uint8Array(size).fill(shade(index));
const range = (n: number) => Array.from({ length: n }, (_, i) => i);

describe('clips of every kind give their frames in any order', () => {
  const cases: readonly [string, (path: string) => Promise<string>, exact: boolean][] = [
    [
      'DICOM',
      async (path) => {
        const more = { '00181063': { vr: 'DS', Value: ['40'] } };
        writeFileSync(path, dicom({ width: 34, height: 26, frames: range(12).map((i) => bytes(i, 34 * 26)), more }));
        return path;
      },
      true,
    ],
    [
      'TIFF',
      async (path) => {
        const page = (i: number) => ({
          kind: 'uint16' as const,
          width: 34,
          height: 26,
          values: Array<number>(34 * 26).fill(257 * shade(i)),
        });
        writeFileSync(path, tiffOfPages(range(12).map((i) => page(i))));
        return path;
      },
      false,
    ],
    [
      'animated WebP',
      async (path) => {
        const folder = await numbered('webp-frames', range(12));
        const files = range(12).map((i) => join(folder, `frame_${i}.png`));
        await writeWebp(path, files, 0.04);
        return path;
      },
      false,
    ],
    [
      'animated GIF',
      async (path) => {
        const folder = await numbered('gif-frames', range(12));
        await sharp(
          range(12).map((i) => join(folder, `frame_${i}.png`)),
          { join: { animated: true } },
        )
          .gif({ delay: range(12).map(() => 40) })
          .toFile(path);
        return path;
      },
      false,
    ],
    ['folder', () => numbered('folder', range(12)), true],
  ];
  const NAMES: Readonly<Record<string, string>> = {
    DICOM: 'c.dcm',
    TIFF: 'c.tif',
    'animated WebP': 'c.webp',
    'animated GIF': 'c.gif',
  };

  test.each(cases)('%s', async (kind, make, exact) => {
    const clip = await open(await make(join(dir, NAMES[kind] ?? kind)));
    expect([clip.frames, clip.width, clip.height]).toEqual([12, 34, 26]);
    const order = [0, 1, 2, 11, 10, 3, 0, 7];
    const shades = await shadesOf(clip, order);
    for (const [k, i] of order.entries()) expect(Math.abs((shades[k] as number) - shade(i))).toBeLessThanOrEqual(exact ? 0 : 2);
    if (['DICOM', 'animated WebP', 'animated GIF'].includes(kind)) expect(clip.frameSeconds).toBeCloseTo(0.04, 6);
  });
});

describe('folders of frames', () => {
  test('frames are in the order of their numbers, not of their names', async () => {
    const clip = await open(await numbered('natural', [2, 10, 1]));
    expect(await shadesOf(clip, [0, 1, 2])).toEqual([shade(1), shade(2), shade(10)]);
    expect(clip.address(2)).toBe(join(dir, 'natural', 'frame_10.png'));
  });

  test('missing numbers are named', async () => {
    const clip = await open(await numbered('gaps', [1, 2, 3, 4, 7, 8, 9, 11]));
    expect(clip.notices).toHaveLength(1);
    expect(clip.notices[0]).toContain('5, 6, 10');
  });

  test('every third frame of a clip is no gap', async () => {
    expect((await open(await numbered('thirds', [3, 6, 9, 12]))).notices).toEqual([]);
  });

  test('two clips in one folder are refused', async () => {
    const folder = await numbered('two', [1, 2]);
    writeFileSync(join(folder, 'other_1.png'), await encodePng(frame(1)));
    await expectError(openClip(folder), { code: 'E_CLIP_FRAMES', where: folder, what: 'other_1.png' });
  });

  test('one number twice is refused', async () => {
    const folder = await numbered('twice', [1, 2]);
    writeFileSync(join(folder, 'frame_02.png'), await encodePng(frame(1)));
    await expectError(openClip(folder), { code: 'E_CLIP_FRAMES', what: 'number 2' });
  });

  test('an image without a number is refused, other files are named', async () => {
    const folder = await numbered('unnumbered', [1, 2]);
    writeFileSync(join(folder, 'notes.txt'), '');
    expect((await open(folder)).notices[0]).toContain('1 file');
    writeFileSync(join(folder, 'logo.png'), await encodePng(frame(1)));
    await expectError(openClip(folder), { code: 'E_CLIP_FRAMES', what: 'logo.png' });
  });

  test('a folder without frames is refused', async () => {
    mkdirSync(join(dir, 'empty'));
    await expectError(openClip(join(dir, 'empty')), { code: 'E_NO_IMAGES', where: join(dir, 'empty') });
  });

  test('a frame of another size is named when its turn comes, and those before it are read', async () => {
    const folder = await numbered('sizes', [0, 1, 2]);
    writeFileSync(join(folder, 'frame_2.png'), await encodePng(frame(2, 30, 26)));
    const clip = await open(folder);
    expect(await shadesOf(clip, [0, 1])).toEqual([shade(0), shade(1)]);
    await expectError(clip.frame(2), {
      code: 'E_CLIP_FRAMES',
      where: join(folder, 'frame_2.png'),
      what: /frame 2 is 30x26.*34x26/,
    });
    // Not read from the cache the second time.
    await expectError(clip.frame(2), { code: 'E_CLIP_FRAMES' });
  });

  test('a damaged frame is named by its number', async () => {
    const folder = await numbered('damaged', [0, 1]);
    writeFileSync(join(folder, 'frame_1.png'), 'no image');
    await expectError((await open(folder)).frame(1), { code: 'E_IMAGE_UNREADABLE', where: /frame_1\.png/, what: 'frame 1 of 2' });
  });
});

describe('what cannot be read', () => {
  test('a DICOM file that ends early names the frame', async () => {
    const whole = dicom({ width: 34, height: 26, frames: range(10).map((i) => bytes(i, 34 * 26)) });
    const path = join(dir, 'short.dcm');
    writeFileSync(path, whole.subarray(0, whole.length - 34 * 26 * 3 + 5));
    await expectError(openClip(path), { code: 'E_IMAGE_DAMAGED', where: path, what: 'frame 7 of 10' });
  });

  test('a TIFF page of another size is named before anything is done', async () => {
    const page = (width: number) => ({ kind: 'uint16' as const, width, height: 8, values: Array<number>(width * 8).fill(9) });
    const path = join(dir, 'sizes.tif');
    writeFileSync(path, tiffOfPages([page(9), page(9), page(7)]));
    await expectError(openClip(path), { code: 'E_CLIP_FRAMES', where: `${path}#2`, what: '7x8' });
  });

  test('an animation that ends early gives its first frames and names the first lost one', async () => {
    const folder = join(dir, 'cut-frames');
    mkdirSync(folder);
    const noise = (i: number) => ({
      ...frame(i, 64, 48),
      data: Uint8Array.from({ length: 64 * 48 * 3 }, (_, k) => (k * (i + 7) * 31) % 251),
    });
    const files = range(8).map((i) => join(folder, `${i}.png`));
    for (const [i, file] of files.entries()) writeFileSync(file, await encodePng(noise(i)));
    const whole = join(dir, 'whole.webp');
    await writeWebp(whole, files, 0.1);
    const path = join(dir, 'cut.webp');
    const content = readFileSync(whole);
    writeFileSync(path, content.subarray(0, Math.floor(content.length * 0.6)));
    const failed = await openClip(path).then(
      async (clip) => {
        opened.push(clip);
        for (let i = 0; i < clip.frames; i++) {
          const error = await clip.frame(i).then(
            () => undefined,
            (cause: unknown) => cause,
          );
          if (error !== undefined) return { error, at: i };
        }
        return undefined;
      },
      (error: unknown) => ({ error, at: -1 }),
    );
    expect(failed?.error).toBeInstanceOf(DataError);
    if (failed !== undefined && failed.at >= 0) expect(String(failed.error)).toContain(`frame ${failed.at}`);
  });

  test('a frame that the clip does not have', async () => {
    const clip = await open(await numbered('few', [0, 1]));
    for (const index of [-1, 2, 0.5]) await expectError(clip.frame(index), { code: 'E_FRAME_NOT_FOUND', what: String(index) });
  });

  test('missing files, text files and volumes', async () => {
    await expectError(openClip(join(dir, 'none.dcm')), { code: 'E_FILE_NOT_FOUND' });
    writeFileSync(join(dir, 'text.webp'), 'a text');
    await expectError(openClip(join(dir, 'text.webp')), { code: 'E_IMAGE_UNREADABLE' });
    await expectError(openClip(join(dir, 'v.nii.gz')), { code: 'E_IMAGE_FORMAT' });
  });

  test('a single image is a clip of one frame, and says so', async () => {
    const path = join(dir, 'single.png');
    writeFileSync(path, await encodePng(frame(4)));
    const clip = await open(path);
    expect(clip.frames).toBe(1);
    expect(clip.notices[0]).toContain('single frame');
    expect(await shadesOf(clip, [0])).toEqual([shade(4)]);
  });
});

test('frames are decoded once while a tracker, a detector and an overlay ask for them', async () => {
  const folder = await numbered('kept', [0, 1, 2]);
  const clip = await open(folder);
  const [first, again] = [await clip.frame(1), await clip.frame(1)];
  expect(again).toBe(first);
});

const noFfmpeg = (await hasFfmpeg()) ? undefined : 'it needs ffmpeg';

describeUnless(noFfmpeg, 'videos', () => {
  async function video(name: string, count = 40): Promise<string> {
    const folder = await numbered(`${name}-frames`, range(count));
    const path = join(dir, name);
    await writeMp4(
      path,
      range(count).map((i) => join(folder, `frame_${i}.png`)),
      0.05,
    );
    return path;
  }

  test.each(['c.mp4', 'c.mov', 'c.avi'])('%s: every frame once, forwards, backwards and across', async (name) => {
    const mp4 = await video(`made-${name}.mp4`);
    const path = join(dir, name);
    execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', mp4, '-c:v', name.endsWith('avi') ? 'mjpeg' : 'copy', '-q:v', '1', path]);
    const clip = await open(path);
    expect([clip.frames, clip.width, clip.height]).toEqual([40, 34, 26]);
    expect(clip.frameSeconds).toBeCloseTo(0.05, 3);
    const order = [...range(40), ...range(40).reverse(), 25, 3, 39];
    const shades = await shadesOf(clip, order);
    for (const [k, i] of order.entries()) expect(Math.abs((shades[k] as number) - shade(i))).toBeLessThanOrEqual(3);
  });

  test('an odd size is padded by one line, not scaled', async () => {
    const folder = await numbered('odd', [0, 1], [33, 25]);
    const path = join(dir, 'odd.mp4');
    await writeMp4(
      path,
      [0, 1].map((i) => join(folder, `frame_${i}.png`)),
    );
    const clip = await open(path);
    expect([clip.width, clip.height, clip.frames]).toEqual([34, 26, 2]);
  });

  test('a list of other files under the name of a video is not followed', async () => {
    const path = join(dir, 'list.mp4');
    writeFileSync(path, '#EXTM3U\n#EXTINF:1,\n/etc/passwd\n#EXT-X-ENDLIST\n');
    await expectError(openClip(path), { code: 'E_IMAGE_UNREADABLE', where: path });
  });

  test('a video that ends early names the frame at which it does', async () => {
    const path = await video('cut.avi.mp4');
    const avi = join(dir, 'cut.avi');
    execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', path, '-c:v', 'mjpeg', avi]);
    const content = readFileSync(avi);
    // The index says 40 frames; the last half of them is zeros.
    const from = Math.floor(content.length / 2);
    content.fill(0, from, content.length - 2000);
    writeFileSync(avi, content);
    const clip = await open(avi);
    await shadesOf(clip, [0, 1, 2]);
    await expectError(
      (async () => {
        for (let i = 3; i < 40; i++) await clip.frame(i);
      })(),
      { code: 'E_IMAGE_DAMAGED', what: /frame \d+/ },
    );
  });
});

itUnless(
  noFfmpeg === undefined ? 'ffmpeg is installed' : undefined,
  'without ffmpeg, a video is refused and says what to install',
  async () => {
    const path = join(dir, 'video.mp4');
    writeFileSync(path, 'x');
    await expectError(openClip(path), { code: 'E_PROGRAM_MISSING', where: path, fix: 'ffmpeg' });
  },
);
