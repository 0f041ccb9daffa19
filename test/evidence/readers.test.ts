import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it } from '@jest/globals';
import { encodeReport, keptIdentity, readSourceInstance, type SegmentationForm } from '../../src/evidence/index.js';
import { encodeBoth, SOURCES, sourceFile } from '../support/evidence.js';
import { printedBy, programMissing } from '../support/program.js';
import { pythonFor, pythonMissing, runPython } from '../support/python.js';
import { describeUnless } from '../support/skipped.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const dir = temporaryFolder('evidence-readers');
const lacksValidator = programMissing('dciodvfy', 'dicom3tools');
const lacksDump = programMissing('dsrdump', 'dcmtk');

async function written(kind: string, form: SegmentationForm) {
  const encoded = await encodeBoth(sourceFile(SOURCES[kind] as (typeof SOURCES)[string]), form);
  const name = `${kind}-${form}`.replaceAll(' ', '-');
  const [seg, sr] = [join(dir, `${name}.seg.dcm`), join(dir, `${name}.sr.dcm`)];
  await writeFile(seg, encoded.segmentation.bytes);
  await writeFile(sr, encoded.report.bytes);
  return { ...encoded, seg, sr };
}

/** A report with a volume from a frame of a clip and a second plane: another frame, or an image of the same study. */
async function withVolume(second: 'frame' | 'image') {
  const encoded = await encodeBoth(sourceFile(SOURCES['a cine clip of 30 frames'] as (typeof SOURCES)[string]), 'binary');
  const { source } = encoded.options;
  const single = SOURCES['a single frame'] as (typeof SOURCES)[string];
  const file = sourceFile({ ...single, more: { ...single.more, '00080018': { vr: 'UI', Value: ['1.2.826.7.8'] } } });
  const other = await readSourceInstance(file, 'other.dcm', keptIdentity());
  const planes = [{ source, frame: 2 }, second === 'frame' ? { source, frame: 17 } : { source: other, frame: 0 }] as const;
  const volume = { phrase: 'thyroid nodule', ml: 10.367, diametersMm: [50, 22, 18] as const, agreement: 1.0321, planes };
  const report = await encodeReport({ ...encoded.options, segmentation: encoded.segmentation, volumes: [volume] });
  const [seg, sr] = ['seg', 'sr'].map((kind) => join(dir, `volume-${second}.${kind}.dcm`)) as [string, string];
  await writeFile(seg, encoded.segmentation.bytes);
  await writeFile(sr, report.bytes);
  return { seg, sr, report, plain: encoded.report };
}

const errors = (file: string) =>
  printedBy('dciodvfy', file)
    .split('\n')
    .filter((line) => line.startsWith('Error'));

describeUnless(lacksValidator, 'dciodvfy', () => {
  for (const kind of Object.keys(SOURCES))
    it(`finds no error in a binary segmentation and a report of ${kind}`, async () => {
      const { seg, sr } = await written(kind, 'binary');
      expect(errors(seg)).toEqual([]);
      expect(errors(sr)).toEqual([]);
    });

  it.each(['frame', 'image'] as const)('finds no error in a report with a volume whose second plane is an %s', async (second) => {
    const { sr, report, plain } = await withVolume(second);
    expect(errors(sr)).toEqual([]);
    // Another content, another instance.
    expect(report.sopInstance).not.toBe(plain.sopInstance);
  });

  it('finds no error in the report of a label map but that it does not know its class', async () => {
    const { sr } = await written('a cine clip of 30 frames', 'labelmap');
    // Of 2022 and before: it does not know label maps, which are newer, and takes them for single images.
    const unknown =
      'Error - Shall not be present for Referenced SOP Class that is not multi-frame - attribute <ReferencedFrameNumber>';
    expect(errors(sr).filter((line) => line !== unknown)).toEqual([]);
  });
});

describeUnless(lacksDump, 'dsrdump', () => {
  it('prints measures with their units, and the reason where there are none', async () => {
    const measured = printedBy('dsrdump', (await written('a single frame', 'binary')).sr);
    expect(measured).toMatch(/NUM:\(,,"Area"\)="\d+\.?\d*" \(mm2,UCUM,/);
    expect(measured).toMatch(/Referenced Segmentation Frame"\)=\(SG image,,1\)/);
    const unmeasured = printedBy('dsrdump', '+Pl', (await written('no calibration', 'binary')).sr);
    expect(unmeasured).not.toContain('NUM:');
    expect(unmeasured).toContain('not measured: the file does not say how large a pixel is');
  });
});

describeUnless(pythonMissing('dicom'), 'highdicom and pydicom', () => {
  const cases = Object.keys(SOURCES).flatMap((kind) => (['binary', 'labelmap'] as const).map((form) => ({ kind, form })));
  const files: Awaited<ReturnType<typeof written>>[] = [];
  // biome-ignore lint/suspicious/noExplicitAny: JSON that the tests look into
  let read: any[] = [];
  beforeAll(async () => {
    for (const { kind, form } of cases) files.push(await written(kind, form));
    const triples = files.flatMap(({ seg, sr, options: { source } }) => [seg, sr, String(source.multiframe ? source.frames : 0)]);
    read = JSON.parse(runPython(pythonFor('dicom') as string, ['tools/dicom/read_evidence.py', ...triples]));
  });
  const hash = (data: Uint8Array) => createHash('sha256').update(data).digest('hex');

  it('read a volume, and the frames of both of its planes', async () => {
    const files = [await withVolume('frame'), await withVolume('image')];
    const triples = files.flatMap(({ seg, sr }) => [seg, sr, '30']);
    const [frame, image] = JSON.parse(runPython(pythonFor('dicom') as string, ['tools/dicom/read_evidence.py', ...triples]));
    const [volume] = frame.volumes;
    expect(frame.volumes).toHaveLength(1);
    expect(volume).toMatchObject({
      label: 'thyroid nodule, volume',
      measures: [['121218', 10.367, 'mL', 'ELLIPSOID']],
      sources: [
        ['1.2.826.7.3', [3]],
        ['1.2.826.7.3', [18]],
      ],
    });
    expect(image.volumes[0].sources).toEqual([
      ['1.2.826.7.3', [3]],
      ['1.2.826.7.8', null],
    ]);
    // Planar groups are those without volumes.
    expect(frame.sr.length).toBeGreaterThan(0);
    expect(frame.sr.map(({ finding }: { finding: string }) => finding)).toContain(volume.finding);
  });

  for (const [index, { kind, form }] of cases.entries())
    it(`read the masks of ${kind} bit by bit, and its measures (${form})`, async () => {
      const { options, segmentation } = files[index] as (typeof files)[number];
      const { objects, source } = options;
      const found = read[index];
      const blank = hash(new Uint8Array(source.rows * source.columns));
      expect(found.seg.type).toBe(form === 'binary' ? 'BINARY' : 'LABELMAP');
      expect(found.seg.instance).toBe(source.sopInstance);
      expect(found.seg.segments.map(({ label }: { label: string }) => label)).toEqual(objects.map(({ label }) => label));
      for (const [k, { frames }] of objects.entries()) {
        const masks = Array.from({ length: source.frames }, (_, frame) => {
          const shown = frames.find((one) => one.frame === frame);
          return shown === undefined ? blank : hash(shown.mask.data);
        });
        expect(found.seg.segments[k].frames).toEqual(masks);
      }
      // pydicom alone: frames as they are stored.
      const planes =
        form === 'binary'
          ? objects.flatMap(({ frames }) => frames.map(({ mask }) => mask.data))
          : [...Array(source.frames).keys()].map((frame) =>
              Uint8Array.from(
                { length: source.rows * source.columns },
                (_, i) => objects.findIndex(({ frames }) => frames.find((one) => one.frame === frame)?.mask.data[i] === 1) + 1,
              ),
            );
      expect(found.seg.pydicom).toBe(hash(Buffer.concat(planes)));
      const shown = objects.flatMap((object) => object.frames.map((frame) => ({ object, frame })));
      expect(found.sr).toHaveLength(shown.length);
      for (const [i, { object, frame }] of shown.entries()) {
        const group = found.sr[i];
        const { measures } = frame.measures as NonNullable<typeof frame.measures>;
        expect(group.label).toBe(object.label);
        expect(group.tracking).toBe(found.seg.segments[objects.indexOf(object)].tracking);
        expect(group.segmentation).toBe(segmentation.sopInstance);
        const value = (name: string) => group.measures.find(([own]: [string]) => own === name)?.slice(1, 3);
        expect(value('Area')).toEqual(measures === null ? undefined : [measures.area_mm2, 'mm2']);
        expect(value('Long axis')).toEqual(measures === null ? undefined : [measures.long_axis_mm, 'mm']);
        expect(value('Perimeter')).toEqual(measures === null ? undefined : [measures.perimeter_mm, 'mm']);
        if (measures === null) expect(group.measures).toEqual([]);
      }
    });
});
