import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { generatePhantomClip, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { DicomSegmentation, decodeRle, encodePng, parseDicomElements } from '../../src/imaging/index.js';
import { ultrasoundModels } from '../../src/pretrained/index.js';
import { runCommand, withNano } from '../support/command.js';
import { dicom } from '../support/dicom.js';
import { STUDY } from '../support/evidence.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const FRAMES = 3;
const SIZE = { width: 72, height: 60 };
const dir = temporaryFolder('infer-dicom');
const domain = phantomDomains['standard'] as PhantomDomain;
const phantom = generatePhantomClip(2, { ...SIZE, domain, frames: FRAMES, leaves: false });
const PROMPT = ['--prompt', 'cyst. zork', '--threshold', '0.02', '--select', 'best-per-phrase'];

beforeAll(async () => {
  const grey = async (i: number) => (await phantom.frame(i)).data.filter((_, k) => k % 3 === 0);
  const frames = await Promise.all(Array.from({ length: FRAMES }, (_, i) => grey(i)));
  await mkdir(join(dir, 'scans'));
  await writeFile(join(dir, 'scans', 'loop.dcm'), dicom({ ...SIZE, frames, more: STUDY }));
  const more = {
    ...STUDY,
    '00080018': { vr: 'UI', Value: ['1.2.826.7.4'] },
    '00080016': { vr: 'UI', Value: ['1.2.840.10008.5.1.4.1.1.6.1'] },
  };
  await writeFile(join(dir, 'scans', 'still.dcm'), dicom({ ...SIZE, frames: frames.slice(0, 1), more }));
  await writeFile(join(dir, 'scans', 'photo.png'), await encodePng(await phantom.frame(0)));
});

const infer = (...words: string[]) => runCommand(withNano(['infer', ...words.map((word) => word.replaceAll('@', `${dir}/`))]));
const json = async (name: string) => JSON.parse(await readFile(join(dir, name), 'utf8'));
const read = async (name: string) => {
  const bytes = await readFile(join(dir, name));
  return { text: bytes.toString('latin1'), segmentation: (await DicomSegmentation.parse(bytes, name)) as DicomSegmentation };
};
/** SOP Instance UIDs of a segmentation and its report, and the content of the report. */
async function uidsIn(out: string, name: string) {
  const files = await Promise.all(['seg', 'sr'].map((kind) => readFile(join(dir, out, 'dicom', `${name}.${kind}.dcm`))));
  const uids = await Promise.all(
    files.map(async (bytes) => (await parseDicomElements(bytes, name)).set.string('x00080018') ?? ''),
  );
  const [seg = '', sr = ''] = uids;
  expect(seg).toMatch(/^2\.25\./);
  return { seg, sr, content: files[1]?.toString('latin1') };
}
interface Found {
  readonly file_name: string;
  readonly segmentation: { readonly counts: string };
}

describe('infer --dicom', () => {
  it('writes a segmentation and a report for each DICOM file, with the masks of its frames, and no patient', async () => {
    const { code, text } = await infer('--image', '@scans', ...PROMPT, '--dicom', '--out', '@out');
    expect([code, text]).toEqual([0, expect.stringMatching(/2 segmentations and reports: .*; 1 images are of other formats/)]);
    expect(text).toMatch(/no code is known for "zork"/);
    expect((await readdir(join(dir, 'out', 'dicom'))).sort()).toEqual(
      ['loop', 'still'].flatMap((name) => [`${name}.seg.dcm`, `${name}.sr.dcm`]),
    );
    const results: Found[] = await json('out/results.json');
    const { text: bytes, segmentation } = await read('out/dicom/loop.seg.dcm');
    expect(bytes).not.toMatch(/Doe|1\.2\.826/);
    for (let frame = 0; frame < FRAMES; frame++) {
      const masks = (await segmentation.masks(frame)).map(({ mask }) => mask);
      const found = results.filter(({ file_name }) => file_name === `loop.dcm#${frame}`);
      expect(masks).toEqual(found.map((one) => decodeRle(one.segmentation.counts, SIZE.width, SIZE.height)));
    }
  });

  it('leaves what is there from the same results, and writes again what is missing', async () => {
    const [kept, gone] = ['still.seg.dcm', 'loop.sr.dcm'].map((name) => join(dir, 'out', 'dicom', name)) as [string, string];
    const { mtimeMs } = await stat(kept);
    const before = await readFile(gone);
    await rm(gone);
    expect((await infer('--image', '@scans', ...PROMPT, '--dicom', '--out', '@out')).code).toBe(0);
    expect((await stat(kept)).mtimeMs).toBe(mtimeMs);
    // Of the same key: the same UIDs, and a fixed date.
    expect(Buffer.compare(await readFile(gone), before)).toBe(0);
  });

  it('writes again what other codes name otherwise, as another instance', async () => {
    const file = join('out', 'dicom', 'still.seg.dcm');
    const before = await read(file);
    const uid = ({ text }: { readonly text: string }) => /UI.{2}(2\.25\.\d+)/s.exec(text)?.[1];
    await writeFile(
      join(dir, 'codes.yaml'),
      'codes: { Zork: 99TEST Z1 }\nphrases: { zork: { type: Zork }, cyst: { type: Zork } }\n',
    );
    const { code, text } = await infer('--image', '@scans', ...PROMPT, '--dicom', '--codes', '@codes.yaml', '--out', '@out');
    expect([code, text]).toEqual([0, expect.not.stringMatching(/no code is known/)]);
    const after = await read(file);
    expect(before.text).not.toContain('99TEST');
    expect(after.text).toContain('99TEST');
    expect(uid(before)).toMatch(/^2\.25\./);
    expect(uid(after)).not.toBe(uid(before));
  });

  it.each([
    ['a size of pixels given by hand', ['--mm-per-pixel', '0.1'], ['--mm-per-pixel', '0.2']],
    ['a table of such sizes', ['--calibration', '@sizes.csv'], ['--calibration', '@others.csv']],
    ['the name of the table, which the report states', ['--calibration', '@sizes.csv'], ['--calibration', '@renamed.csv']],
  ])('gives what depends on %s UIDs of its own', async (_, first, second) => {
    await writeFile(join(dir, 'sizes.csv'), 'filename,pixel_size_mm\nstill.dcm,0.1\n');
    await writeFile(join(dir, 'renamed.csv'), 'filename,pixel_size_mm\nstill.dcm,0.1\n');
    await writeFile(join(dir, 'others.csv'), 'filename,pixel_size_mm\nstill.dcm,0.3\n');
    const written = async (...words: string[]) => {
      const { code, text } = await infer('--image', '@scans/still.dcm', ...PROMPT, '--dicom', ...words, '--out', '@sized');
      expect([code, text]).toEqual([0, expect.stringMatching(/1 segmentations and reports/)]);
      return uidsIn('sized', 'still');
    };
    const before = await written(...first);
    const after = await written(...second);
    expect(after.content).not.toBe(before.content);
    expect([after.seg, after.sr]).not.toContain(before.seg);
    expect([after.seg, after.sr]).not.toContain(before.sr);
    expect(await written(...first)).toEqual(before);
  });

  it('reports the standard deviation of each measure, and what it is over', async () => {
    const words = [...PROMPT, '--mm-per-pixel', '0.1', '--spread', '--dicom', '--out', '@spread'];
    expect((await infer('--image', '@scans/still.dcm', ...words)).code).toBe(0);
    const [first] = await json('spread/results.json');
    // The image, its mirror image, and two thresholds, some of which may lose it.
    const { variants, lost, area_mm2 } = first.measures.spread;
    expect(variants + lost).toBe(4);
    expect(variants).toBeGreaterThan(2);
    const { content = '' } = await uidsIn('spread', 'still');
    expect(content).toContain(`standard deviations: over ${variants} variants of image, words and threshold`);
    expect(content).toContain(String(area_mm2));
  });

  it('reports the volume of two planes with the first, and names the planes that a report cannot refer to', async () => {
    // At this threshold the shipped models find one in each plane.
    const models = ['--model', ultrasoundModels.detector, '--masker', ultrasoundModels.masker];
    const prompt = ['--prompt', 'cyst', '--threshold', '0.0001', '--select', 'best-per-phrase'];
    const words = [...prompt, ...models, '--mm-per-pixel', '0.1', '--dicom', '--out', '@volume'];
    const volumeOf = async (...planes: readonly [string, string]) => {
      const { code, text } = await infer('--image', '@scans', ...words, '--volume', ...planes);
      const [cyst] = await json('volume/volumes.json');
      return { code, text, cyst, loop: await uidsIn('volume', 'loop'), still: await uidsIn('volume', 'still') };
    };
    const frames = await volumeOf('@scans/loop.dcm#0', '@scans/loop.dcm#2');
    expect(frames.code).toBe(0);
    expect(frames.cyst.volume_ml).toBeGreaterThan(0);
    expect(frames.loop.content).toContain('Volume estimated from two non-coplanar 2D regions');
    expect(frames.loop.content).toContain(String(frames.cyst.volume_ml));
    expect(frames.still.content).not.toContain('Volume estimated');
    const files = await volumeOf('@scans/still.dcm', '@scans/loop.dcm#2');
    expect(files.loop.content).not.toContain('Volume estimated');
    expect(files.still.content).toContain(String(files.cyst.volume_ml));
    // Masks are the same, the reports are not.
    expect([files.loop.seg, files.still.seg]).toEqual([frames.loop.seg, frames.still.seg]);
    expect(files.loop.sr).not.toBe(frames.loop.sr);
    expect(files.still.sr).not.toBe(frames.still.sr);
    const photo = await volumeOf('@scans/still.dcm', '@scans/photo.png');
    expect(photo.cyst.volume_ml).toBeGreaterThan(0);
    expect(photo.text).toMatch(/photo\.png: it is no DICOM file, so the report of the other plane has no volume/);
    expect(photo.still.content).not.toContain('Volume estimated');
  });

  it('gives the results of one frame of a clip UIDs of their own', async () => {
    const uids = [];
    for (const image of ['@scans/loop.dcm', '@scans/loop.dcm#1']) {
      expect((await infer('--image', image, ...PROMPT, '--dicom', '--out', '@frames')).code).toBe(0);
      uids.push(await uidsIn('frames', 'loop'));
    }
    const [whole, one] = uids;
    expect([one?.seg, one?.sr]).not.toContain(whole?.seg);
    expect([one?.seg, one?.sr]).not.toContain(whole?.sr);
  });

  it('writes one segmentation of a clip that is followed, a segment an object, into the study that is kept', async () => {
    const { code } = await infer(
      '--track',
      '--image',
      '@scans/loop.dcm',
      ...PROMPT,
      '--dicom',
      '--keep-identity',
      '--out',
      '@track',
    );
    expect(code).toBe(0);
    const { text, segmentation } = await read('track/dicom/loop.seg.dcm');
    expect(text).toContain('Doe^Jane');
    expect(text).toContain('1.2.826.7.1');
    const tracks = new Set((await json('track/results.json')).map(({ track_id }: { track_id: number }) => track_id));
    expect(segmentation.header.segments).toHaveLength(tracks.size);
    expect(segmentation.header.multiframe).toBe(true);
  });

  it.each([
    [['--keep-identity'], /--keep-identity: it is for --dicom/],
    [['--dicom', '--masker', 'none'], /boxes without masks are no segmentation/],
    [['--dicom', '--shard', '0/2'], /several shards/],
    [['--dicom', '--keep-identity', '--key', '@k'], /no UID of the source is replaced/],
  ])('refuses %j', async (words, reason) => {
    const { code, text } = await infer('--image', '@scans', ...PROMPT, ...words, '--out', '@refused');
    expect([code, text]).toEqual([2, expect.stringMatching(reason)]);
  });
});
