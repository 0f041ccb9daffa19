import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import dcmjs from 'dcmjs';
import sharp from 'sharp';
import { deidentifyFolder } from '../../src/deidentify/index.js';
import { KEPT, KEPT_OF_GREY } from '../../src/deidentify/kept.js';
import { readProfile } from '../../src/deidentify/profile.js';
import { DicomFile, decodeImage, type RasterImage } from '../../src/imaging/index.js';
import { dicom } from '../support/dicom.js';
import { inFan, scanImage, withText } from '../support/scan-image.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** In every planted text. Four letters, to fit into an age. */
const NAME = 'QZDO';

/** In every planted UID. */
const UID = '1.2.826.4711.0815';

type Element = { readonly vr: string; readonly Value: readonly unknown[] };

const { dictionary } = dcmjs.data.DicomMetaDictionary as unknown as {
  readonly dictionary: Readonly<Record<string, { readonly vr: string } | undefined>>;
};
const vrOf = (tag: string) => dictionary[`(${tag.slice(0, 4)},${tag.slice(4)})`]?.vr;

/** An element full of the name, as far as its VR can hold text or bytes. */
function planted(vr: string | undefined): Element | undefined {
  const bytes = () => Uint8Array.from(Buffer.from(`${NAME}^JANE${NAME}`, 'latin1')).buffer;
  switch (vr) {
    case 'PN':
      return { vr, Value: [`${NAME}^JANE`] };
    case 'AS':
    case 'TM':
    case 'IS':
      return { vr, Value: [NAME] };
    case 'DS':
      return { vr, Value: [NAME, NAME] };
    case 'AE':
    case 'CS':
    case 'SH':
    case 'DA':
    case 'DT':
    case 'LO':
    case 'LT':
    case 'ST':
    case 'UC':
    case 'UR':
    case 'UT':
      return { vr, Value: [`${NAME} 1961`] };
    case 'UI':
      return { vr, Value: [`${UID}.1`] };
    case 'OB':
    case 'OW':
    case 'UN':
      return { vr, Value: [bytes()] };
    case 'SQ':
      return { vr, Value: [{ '00100010': { vr: 'PN', Value: [`${NAME}^NESTED`] }, '00080100': { vr: 'SH', Value: [NAME] } }] };
    default:
      return undefined;
  }
}

const dir = temporaryFolder('no-identity');
const from = join(dir, 'originals');
const to = join(dir, 'shared');
let ink = new Uint8Array();
let plain: RasterImage;
let result: Awaited<ReturnType<typeof deidentifyFolder>>;

const BOX = [40, 24, 300, 236] as const;

/** A region with a name in items that no region has. */
const REGION: Element = {
  vr: 'SQ',
  Value: [
    {
      '00100010': { vr: 'PN', Value: [`${NAME}^REGION`] },
      '00186012': { vr: 'US', Value: [1] },
      '00186014': { vr: 'US', Value: [1] },
      ...Object.fromEntries(['18', '1A', '1C', '1E'].map((end, i) => [`001860${end}`, { vr: 'UL', Value: [BOX[i]] }])),
      '00186024': { vr: 'US', Value: [3] },
      '00186026': { vr: 'US', Value: [3] },
      '0018602C': { vr: 'FD', Value: [0.05] },
      '0018602E': { vr: 'FD', Value: [0.05] },
    },
  ],
};

async function allFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

beforeAll(async () => {
  const { actions } = JSON.parse(await readFile('assets/dicom/confidentiality-profile.json', 'utf8')) as {
    actions: Record<string, string>;
  };
  const tags = [...Object.keys(actions), ...Object.keys(KEPT), ...Object.keys(KEPT_OF_GREY), '00080008', '00080070', '00200020'];
  const more: Record<string, Element> = {};
  for (const tag of tags.map((text) => text.toUpperCase()).filter((text) => /^[0-9A-F]{8}$/.test(text) && !/^0002/.test(text))) {
    const element = planted(vrOf(tag));
    if (element !== undefined) more[tag] = element;
  }
  Object.assign(more, {
    '00080016': { vr: 'UI', Value: ['1.2.840.10008.5.1.4.1.1.6.1'] },
    '00080070': { vr: 'LO', Value: [`Philips ${NAME}`] },
    '00186011': REGION,
    '00090010': { vr: 'LO', Value: [`${NAME} PRIVATE`] },
    '00091001': { vr: 'LO', Value: [`${NAME} PRIVATE`] },
    '00880200': planted('SQ'),
    '50003000': planted('OW'),
    '60003000': planted('OW'),
    '60004000': planted('LT'),
    FFFCFFFC: planted('OB'),
  });
  const drawn = await withText(scanImage({ level: 70 }), [
    { text: `${NAME} JANE 1961`, x: 4, y: 14, size: 13 },
    { text: `${NAME} JANE`, x: 110, y: 150, size: 15 },
    { text: 'ID 4711', x: 46, y: 40, size: 12 },
  ]);
  ink = Uint8Array.from(drawn.ink);
  plain = drawn.image;
  await mkdir(join(from, `${NAME}_Jane`), { recursive: true });
  const file = dicom({
    width: 320,
    height: 240,
    frames: [plain.data],
    samples: 3,
    photometric: 'RGB',
    more,
    meta: { '00020016': { vr: 'AE', Value: [NAME] }, '00020003': { vr: 'UI', Value: [`${UID}.1`] } },
  });
  file.write(`${NAME} in the preamble`, 0, 'latin1');
  const tail = [`${NAME} behind the data`, Buffer.from(NAME, 'utf16le').toString('latin1')].join('');
  await writeFile(join(from, `${NAME}_Jane`, `${NAME}.dcm`), Buffer.concat([file, Buffer.from(tail, 'latin1')]));
  const raw = sharp(plain.data, { raw: { width: 320, height: 240, channels: 3 } });
  const exif = { IFD0: { ImageDescription: NAME, Artist: NAME }, IFD3: {} };
  const xmp = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>${NAME}</dc:title></rdf:Description></rdf:RDF></x:xmpmeta>`;
  for (const kind of ['png', 'jpeg', 'webp', 'tiff'] as const) {
    const packed = await raw.clone().withExif(exif).withXmp(xmp).toFormat(kind, { quality: 95 }).toBuffer();
    expect(packed.includes(NAME)).toBe(true);
    await writeFile(join(from, `${NAME}_Jane`, `${NAME}.${kind}`), Buffer.concat([packed, Buffer.from(NAME)]));
  }
  // An unreadable file, whose name and content are both the name: reports do not repeat them.
  await writeFile(join(from, `${NAME}.dcm`), `${NAME} is no image`);
  result = await deidentifyFolder({ from, to, key: join(dir, 'key'), map: join(dir, 'map.json') });
});

describe('a name planted in every field', () => {
  it('is in no byte of any output, as text of 8 or 16 bits, and in no name of a file', async () => {
    const files = [...(await allFiles(to)), ...(await allFiles(`${to}-report`))];
    expect(files.length).toBeGreaterThanOrEqual(7);
    for (const file of files) {
      expect(file.slice(dir.length)).not.toMatch(new RegExp(NAME, 'i'));
      const bytes = await readFile(file);
      for (const text of [NAME, NAME.toLowerCase(), UID, 'Jane', 'JANE', 'NESTED', 'PRIVATE', '4711.0815'])
        for (const encoding of ['latin1', 'utf16le'] as const)
          expect({ file, text, at: bytes.indexOf(Buffer.from(text, encoding)) }).toEqual({ file, text, at: -1 });
      const swapped = Buffer.from(bytes.subarray(0, bytes.length & ~1)).swap16();
      expect(swapped.indexOf(Buffer.from(NAME, 'utf16le'))).toBe(-1);
    }
  });

  it('is in no pixel: not outside of the region, not as text in it', async () => {
    const outputs = await allFiles(to);
    expect(outputs).toHaveLength(5);
    for (const file of outputs) {
      const bytes = await readFile(file);
      const { data } = file.endsWith('.dcm') ? await (await DicomFile.parse(bytes, file)).image(0) : await decodeImage(file);
      let left = 0;
      for (const [i, value] of ink.entries()) if (value === 1 && Math.max(...data.subarray(3 * i, 3 * i + 3)) > 0) left++;
      expect({ file, left }).toEqual({ file, left: 0 });
    }
  });

  it('leaves the echoes: most of the fan, unchanged, in colour order', async () => {
    const file = (await allFiles(to)).find((name) => name.endsWith('.dcm')) as string;
    const { data } = await (await DicomFile.parse(await readFile(file), file)).image(0);
    let [kept, echoes] = [0, 0];
    for (let i = 0; i < data.length; i++) {
      const pixel = Math.floor(i / 3);
      if (plain.data[i] === 0 || !inFan(pixel % 320, Math.floor(pixel / 320), 320, 240)) continue;
      echoes++;
      if (data[i] === plain.data[i]) kept++;
    }
    expect(kept / echoes).toBeGreaterThan(0.8);
  });

  it('is only in the map that was asked for, which lies elsewhere', async () => {
    const map = JSON.parse(await readFile(join(dir, 'map.json'), 'utf8')) as { source: string; outputs: string[] }[];
    expect(map).toHaveLength(6);
    expect(map.filter(({ outputs }) => outputs.length === 1)).toHaveLength(5);
    expect(map.some(({ source }) => source === `${NAME}_Jane/${NAME}.tiff`)).toBe(true);
  });

  it('does not keep a file that cannot be read from being counted', () => {
    expect(result.report.counts).toMatchObject({ files: 6, written: 5, outputs: 5, refused: 1 });
    expect(result.refused.map(({ file, code }) => [file, code])).toEqual([
      [join(from, `${NAME}.dcm`), expect.stringMatching(/^E_IMAGE/)],
    ]);
  });
});

describe('the header', () => {
  it('obeys the action of the profile for every attribute of its table', async () => {
    const profile = await readProfile();
    const file = (await allFiles(to)).find((name) => name.endsWith('.dcm')) as string;
    const set = dcmjs.data.DicomMessage.readFile((await readFile(file)).buffer as ArrayBuffer).dict;
    const wrong = Object.entries(set).filter(([tag, { Value: values }]) => {
      const action = profile.action(tag);
      if (action === undefined) return false;
      if (action === 'X') return true;
      const text = JSON.stringify(values ?? []);
      return action.includes('U') ? !/^\["2\.25\.\d+"\]$/.test(text) : text.includes(NAME);
    });
    expect(wrong).toEqual([]);
  });

  it('keeps no attribute that the profile protects', async () => {
    const profile = await readProfile();
    const tags = [...Object.keys(KEPT), ...Object.keys(KEPT_OF_GREY)];
    expect(tags.filter((tag) => profile.action(tag) !== undefined)).toEqual([]);
    expect(profile.action('00100010')).toBe('Z');
    expect(profile.action('60023000')).toBe('X');
    expect(profile.action('00091010')).toBe('X');
  });

  it('keeps what calibrates the pixels and who made the scanner, by a name of the list', async () => {
    const file = (await allFiles(to)).find((name) => name.endsWith('.dcm')) as string;
    const parsed = await DicomFile.parse(await readFile(file), file);
    expect(parsed.header.regions).toEqual([expect.objectContaining({ box: [...BOX], physicalDelta: [0.05, 0.05] })]);
    const set = dcmjs.data.DicomMessage.readFile((await readFile(file)).buffer as ArrayBuffer).dict;
    expect(set['00080070']?.Value).toEqual(['Philips']);
    expect(set['00120062']?.Value).toEqual(['YES']);
    expect(set['00080008']?.Value).toEqual(['DERIVED', 'SECONDARY']);
  });
});
