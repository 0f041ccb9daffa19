import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import dcmjs from 'dcmjs';
import { Pseudonyms } from '../../src/deidentify/index.js';
import { keptIdentity, replacedIdentity } from '../../src/evidence/index.js';
import { DicomFile } from '../../src/imaging/index.js';
import { type Encoded, encodeBoth, SOURCES, STUDY, sourceFile } from '../support/evidence.js';
import { expectError } from '../support/expect-error.js';

/** In every planted text. */
const NAME = 'QZDO';

const { dictionary } = dcmjs.data.DicomMetaDictionary as unknown as {
  readonly dictionary: Readonly<Record<string, { readonly vr: string } | undefined>>;
};

/** Tags whose values are references, or describe the pixels: a planted one would make another file. */
const NOT_PLANTED = /^(0002|0028|5200|7FE0)|^(00080005|00080016|00080018|00186011)$/;

function plantedValue(vr: string): unknown[] | undefined {
  if (vr === 'PN') return [`${NAME}^JANE`];
  if (['SH', 'LO', 'LT', 'ST', 'UT', 'UC', 'CS', 'AE', 'DA', 'DT'].includes(vr)) return [`${NAME} 61`];
  if (['AS', 'TM', 'IS'].includes(vr)) return [NAME];
  if (vr === 'UI') return [`1.2.826.4711.0815`];
  if (vr === 'SQ')
    return [{ '00100010': { vr: 'PN', Value: [`${NAME}^NESTED`] }, '00080104': { vr: 'LO', Value: [`${NAME} meaning`] } }];
  return undefined;
}

/** An element of every attribute to protect (PS3.15, E.1-1) that can hold text, and a private one. */
async function planted() {
  const elements: Record<string, { vr: string; Value: unknown[] }> = {
    '00091010': { vr: 'LO', Value: [`${NAME} private`] },
  };
  const { actions } = JSON.parse(await readFile('assets/dicom/confidentiality-profile.json', 'utf8'));
  for (const tag of Object.keys(actions).map((one) => one.toUpperCase())) {
    const vr = dictionary[`(${tag.slice(0, 4)},${tag.slice(4)})`]?.vr;
    if (vr === undefined || NOT_PLANTED.test(tag)) continue;
    const Value = plantedValue(vr);
    if (Value !== undefined) elements[tag] = { vr, Value };
  }
  return elements;
}

const CLIP = SOURCES['a cine clip of 30 frames'] as (typeof SOURCES)[string];

describe('a source with names in every text', () => {
  let file: Buffer;
  let encoded: Encoded;
  const outputs = ({ segmentation, report }: Encoded) =>
    [segmentation, report].map(({ bytes }) => Buffer.from(bytes).toString('latin1'));

  beforeAll(async () => {
    file = sourceFile({ ...CLIP, more: { ...(await planted()), ...CLIP.more } });
    encoded = await encodeBoth(file, 'binary', replacedIdentity());
  });

  it('holds them, and can be read', async () => {
    expect(file.toString('latin1').split(NAME).length).toBeGreaterThan(300);
    expect((await DicomFile.parse(file, 'x.dcm')).header.frames).toBe(30);
  });

  it('passes none on, nor a UID', () => {
    for (const text of outputs(encoded)) {
      expect(text).not.toContain(NAME);
      expect(text).not.toContain('1.2.826.');
      expect(text).not.toContain('2026');
    }
  });

  it('passes on the patient and the study if identity is kept, and nothing else', async () => {
    const kept = await encodeBoth(
      sourceFile({ ...CLIP, more: { ...(await planted()), ...CLIP.more, ...STUDY } }),
      'binary',
      keptIdentity(),
    );
    for (const text of outputs(kept)) {
      expect(text).toContain('Doe^Jane');
      expect(text).toContain('1.2.826.7.1');
      const found = text.split(NAME).length - 1;
      // Of patient and study, what was planted where the study states nothing else.
      expect(found).toBeLessThanOrEqual(8);
      expect(text).not.toContain(`${NAME}^NESTED`);
    }
  });
});

describe('replaced identifiers', () => {
  it('are the same for a study and a series within a run, and others in the next run', async () => {
    const identity = replacedIdentity();
    const [first, second] = await Promise.all(
      ['1.2.826.7.31', '1.2.826.7.32'].map((instance) =>
        encodeBoth(
          sourceFile({ ...CLIP, more: { ...CLIP.more, '00080018': { vr: 'UI', Value: [instance] } } }),
          'binary',
          identity,
        ),
      ),
    );
    expect(first?.segmentation.study).toBe(second?.segmentation.study);
    expect(first?.segmentation.series).toBe(second?.segmentation.series);
    expect(first?.segmentation.sopInstance).not.toBe(second?.segmentation.sopInstance);
    const later = await encodeBoth(sourceFile(CLIP), 'binary', replacedIdentity());
    expect(later.segmentation.study).not.toBe(first?.segmentation.study);
  });

  it('are those of deidentify with its key, so that outputs refer to its images', async () => {
    const key = Buffer.alloc(32, 7);
    const { options } = await encodeBoth(sourceFile(CLIP), 'binary', replacedIdentity(key));
    expect(options.source.sopInstance).toBe(new Pseudonyms(key).uid('1.2.826.7.3'));
    expect(options.source.patientAndStudy['00100020']?.Value[0]).toBe(new Pseudonyms(key).name('patient', '4711'));
  });

  it('give the same bytes for the same key', async () => {
    const [a, b] = [
      await encodeBoth(sourceFile(CLIP), 'binary', replacedIdentity(Buffer.alloc(32, 7))),
      await encodeBoth(sourceFile(CLIP), 'binary', replacedIdentity(Buffer.alloc(32, 7))),
    ];
    expect(Buffer.compare(a.segmentation.bytes, b.segmentation.bytes)).toBe(0);
    expect(Buffer.compare(a.report.bytes, b.report.bytes)).toBe(0);
  });
});

describe('texts of patients in other alphabets', () => {
  const SINGLE = SOURCES['a single frame'] as (typeof SOURCES)[string];
  /** The name in a segmentation of a file whose name has these bytes in a character set. */
  const nameOf = async (set: string, bytes: readonly number[]) => {
    const mark = 'X'.repeat(bytes.length);
    const more = { ...SINGLE.more, '00080005': { vr: 'CS', Value: set.split('\\') }, '00100010': { vr: 'PN', Value: [mark] } };
    const file = sourceFile({ ...SINGLE, more });
    Buffer.from(bytes).copy(file, file.indexOf(mark));
    return (await encodeBoth(file)).options.source.patientAndStudy['00100010']?.Value[0];
  };

  it('are read in the character set that the file states', async () => {
    expect(await nameOf('ISO_IR 100', [0x4d, 0xfc, 0x6c, 0x6c, 0x65, 0x72])).toBe('Müller');
    expect(await nameOf('ISO_IR 144', [0xb8, 0xd2, 0xd0, 0xdd])).toBe('Иван');
    expect(await nameOf('ISO_IR 192', [...Buffer.from('Ελένη ')])).toBe('Ελένη');
    expect(await nameOf('\\ISO 2022 IR 87', [0x1b, 0x24, 0x42, 0x3b, 0x33, 0x45, 0x44, 0x1b, 0x28, 0x42])).toBe('山田');
    expect(await nameOf('\\ISO 2022 IR 149', [0x1b, 0x24, 0x29, 0x43, 0xb1, 0xe8, 0x20, 0x20])).toBe('김');
  });

  it('are refused rather than garbled', async () => {
    await expectError(nameOf('ISO_IR 192', [0xff, 0xfe]), { code: 'E_DICOM_TEXT', where: 'source.dcm' });
    await expectError(nameOf('ISO_IR 999', [0x41, 0x41]), { code: 'E_DICOM_TEXT', what: 'ISO_IR 999' });
  });
});
