import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import dcmjs from 'dcmjs';
import sharp from 'sharp';
import { deidentifyFolder } from '../../src/deidentify/index.js';
import { DicomFile } from '../../src/imaging/index.js';
import { codecFrame } from '../support/codec-frame.js';
import { type DicomParts, dicom, SYNTAX } from '../support/dicom.js';
import { rleFrame } from '../support/rle-frame.js';
import { scanImage } from '../support/scan-image.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const dir = temporaryFolder('deidentify-colours');
const [W, H] = [128, 96];

/** Echoes in orange: with channels swapped or read as YCbCr, they come out in another colour. */
const RGB = scanImage({ width: W, height: H, tint: [1.2, 0.7, 0.3] }).data;
const GREY = Uint8Array.from({ length: W * H }, (_, i) => RGB[3 * i] as number);
const planes = (bytes: Uint8Array) =>
  [0, 1, 2].map((c) => Uint8Array.from({ length: W * H }, (_, i) => bytes[3 * i + c] as number));
const YBR = Uint8Array.from(RGB, (_, i) => {
  const [r, g, b] = [0, 1, 2].map((c) => RGB[i - (i % 3) + c] as number) as [number, number, number];
  const levels = [
    0.299 * r + 0.587 * g + 0.114 * b,
    128 - 0.168736 * r - 0.331264 * g + 0.5 * b,
    128 + 0.5 * r - 0.418688 * g - 0.081312 * b,
  ];
  return Math.round(Math.min(255, Math.max(0, levels[i % 3] as number)));
});
/** Two pixels share their colour differences. */
const YBR_422 = Uint8Array.from({ length: W * H * 2 }, (_, i) => {
  const pair = Math.floor(i / 4) * 6;
  return YBR[pair + ([0, 3, 1, 2][i % 4] as number)] as number;
});
const words = (values: ArrayLike<number>) => new Uint8Array(Int16Array.from(values).buffer);

const REGION = {
  '00186011': {
    vr: 'SQ',
    Value: [
      {
        '00186012': { vr: 'US', Value: [1] },
        '00186014': { vr: 'US', Value: [1] },
        ...Object.fromEntries(
          ['18', '1A', '1C', '1E'].map((end, i) => [`001860${end}`, { vr: 'UL', Value: [[8, 4, 119, 90][i]] }]),
        ),
        '00186024': { vr: 'US', Value: [3] },
        '00186026': { vr: 'US', Value: [3] },
        '0018602C': { vr: 'FD', Value: [0.05] },
        '0018602E': { vr: 'FD', Value: [0.05] },
      },
    ],
  },
};
const lookup = (values: readonly number[]) => ({ vr: 'OW', Value: [words(values).buffer] });
const ramp = Array.from({ length: 256 }, (_, i) => i);
const PALETTE = {
  ...Object.fromEntries(['01', '02', '03'].map((c) => [`002811${c}`, { vr: 'US', Value: [256, 0, 16] }])),
  '00281201': lookup(ramp.map((i) => i << 8)),
  '00281202': lookup(ramp.map((i) => (i >> 1) << 8)),
  '00281203': lookup(ramp.map((i) => (255 - i) << 8)),
};

async function kinds(): Promise<Readonly<Record<string, Partial<DicomParts> & Pick<DicomParts, 'frames'>>>> {
  const jpeg = await sharp(RGB, { raw: { width: W, height: H, channels: 3 } })
    .jpeg({ quality: 92, chromaSubsampling: '4:2:0' })
    .toBuffer();
  const size = { width: W, height: H, components: 3 };
  return {
    RGB: { frames: [RGB], samples: 3, photometric: 'RGB' },
    'RGB by planes': { frames: [Buffer.concat(planes(RGB))], samples: 3, photometric: 'RGB', planar: true },
    YBR_FULL: { frames: [YBR], samples: 3, photometric: 'YBR_FULL' },
    YBR_FULL_422: { frames: [YBR_422], samples: 3, photometric: 'YBR_FULL_422' },
    'RGB in RLE': { frames: [rleFrame(planes(RGB))], samples: 3, photometric: 'RGB', syntax: SYNTAX.rle },
    'YBR_FULL in RLE': { frames: [rleFrame(planes(YBR))], samples: 3, photometric: 'YBR_FULL', syntax: SYNTAX.rle },
    'JPEG, YBR_FULL_422': { frames: [jpeg], samples: 3, photometric: 'YBR_FULL_422', syntax: SYNTAX.jpeg },
    'JPEG 2000, RGB': {
      frames: [await codecFrame('jpeg-2000', RGB, size)],
      samples: 3,
      photometric: 'YBR_RCT',
      syntax: SYNTAX.jpeg2000,
    },
    'JPEG-LS, RGB': { frames: [await codecFrame('jpeg-ls', RGB, size)], samples: 3, photometric: 'RGB', syntax: SYNTAX.jpegLs },
    'PALETTE COLOR': { frames: [GREY], photometric: 'PALETTE COLOR', more: PALETTE },
    MONOCHROME2: { frames: [GREY] },
    MONOCHROME1: { frames: [GREY.map((v) => 255 - v)], photometric: 'MONOCHROME1' },
    '12 bits': { frames: [words(GREY.map((v) => v * 16))], bits: 12, bitsAllocated: 16 },
    '16 bits, signed, windowed': {
      frames: [words(Array.from(GREY, (v) => v * 20 - 1000))],
      bits: 16,
      signed: true,
      more: { '00281050': { vr: 'DS', Value: ['1000'] }, '00281051': { vr: 'DS', Value: ['4000'] } },
    },
    'a clip of 3 frames': {
      frames: [1, 2, 3].map((seed) => scanImage({ width: W, height: H, seed, tint: [0.4, 1, 0.8] }).data),
      samples: 3,
      photometric: 'RGB',
      more: { '00181063': { vr: 'DS', Value: ['33.3'] } },
    },
  };
}

const cases = Object.entries(await kinds());

describe('pixels of a de-identified file, read back', () => {
  it.each(cases)('have the colours that %s had, and are black outside of the region', async (_, parts) => {
    const here = await mkdtemp(join(dir, 'case-'));
    const from = join(here, 'from');
    await mkdir(from);
    const bytes = dicom({ width: W, height: H, ...parts, more: { ...REGION, ...parts.more } });
    await writeFile(join(from, 'a.dcm'), bytes);
    const { report, refused } = await deidentifyFolder({ from, to: join(here, 'to') });
    expect(refused).toEqual([]);
    const path = join(here, 'to', report.outputs[0]?.output ?? '');
    const [before, after] = [await DicomFile.parse(bytes, 'before'), await DicomFile.parse(await readFile(path), 'after')];
    expect(after.header).toMatchObject({ packing: 'native', planar: false, frames: before.header.frames });
    const texts = report.outputs[0]?.text ?? [];
    for (let frame = 0; frame < before.header.frames; frame++) {
      const [was, is] = [await before.image(frame), await after.image(frame)];
      let [differ, lit, kept] = [0, 0, 0];
      for (let i = 0; i < W * H; i++) {
        const [x, y] = [i % W, Math.floor(i / W)];
        const inside = x >= 8 && x <= 119 && y >= 4 && y <= 90;
        if (texts.some(({ box: [x0, y0, x1, y1] }) => x >= x0 && x <= x1 && y >= y0 && y <= y1)) continue;
        for (let c = 0; c < 3; c++) {
          const [a, b] = [was.data[3 * i + c] as number, is.data[3 * i + c] as number];
          if (inside) {
            kept++;
            if (a !== b) differ++;
          } else if (b > (parts.signed === true ? 70 : 0)) lit++;
        }
      }
      expect({ frame, differ, lit }).toEqual({ frame, differ: 0, lit: 0 });
      expect(kept).toBeGreaterThan(0.8 * 3 * 112 * 87);
    }
  });

  it('state that losses happened where the source was JPEG', async () => {
    const here = await mkdtemp(join(dir, 'lossy-'));
    const from = join(here, 'from');
    await mkdir(from);
    const parts = Object.fromEntries(cases)['JPEG, YBR_FULL_422'];
    await writeFile(join(from, 'a.dcm'), dicom({ width: W, height: H, frames: [], ...parts }));
    await deidentifyFolder({ from, to: join(here, 'to') });
    const [folder] = await readdir(join(here, 'to'));
    const [file] = await readdir(join(here, 'to', folder as string));
    const bytes = await readFile(join(here, 'to', folder as string, file as string));
    const { dict } = dcmjs.data.DicomMessage.readFile(Uint8Array.from(bytes).buffer);
    expect(dict['00282110']?.Value).toEqual(['01']);
    expect(dict['00282114']?.Value).toEqual(['ISO_10918_1']);
  });
});
