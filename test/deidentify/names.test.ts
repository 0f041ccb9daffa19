import { mkdir, mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import dcmjs from 'dcmjs';
import { deidentifyFolder } from '../../src/deidentify/index.js';
import { dicom } from '../support/dicom.js';
import { expectError } from '../support/expect-error.js';
import { scanImage } from '../support/scan-image.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const dir = temporaryFolder('deidentify-names');
const scan = scanImage({ width: 128, height: 96 });
const GREY = Uint8Array.from({ length: 128 * 96 }, (_, i) => scan.data[3 * i] as number);

type Fields = Readonly<Record<string, string>>;
const VRS: Readonly<Record<string, string>> = { '00080020': 'DA', '00080030': 'TM', '00100020': 'LO', '00081140': 'SQ' };

/** An image with some fields of its own. */
function image(fields: Fields): Buffer {
  const more = Object.fromEntries(Object.entries(fields).map(([tag, value]) => [tag, { vr: VRS[tag] ?? 'UI', Value: [value] }]));
  return dicom({ width: 128, height: 96, frames: [GREY], more });
}

interface Run {
  readonly dates?: 'remove' | 'shift';
  readonly key?: string;
}

/** De-identifies images and returns their elements, by the name of the original. */
async function run(images: Readonly<Record<string, Buffer>>, options: Run = {}) {
  const here = await mkdtemp(join(dir, 'run-'));
  const from = join(here, 'from');
  await mkdir(from);
  for (const [name, bytes] of Object.entries(images)) await writeFile(join(from, name), bytes);
  await deidentifyFolder({ from, to: join(here, 'to'), map: join(here, 'map.json'), ...options });
  const map = JSON.parse(await readFile(join(here, 'map.json'), 'utf8')) as { source: string; outputs: string[] }[];
  const entries = map.map(async ({ source, outputs }) => {
    const bytes = await readFile(join(here, 'to', outputs[0] as string));
    const { dict } = dcmjs.data.DicomMessage.readFile(Uint8Array.from(bytes).buffer);
    const value = (tag: string) => (dict[tag]?.Value as readonly unknown[] | undefined)?.[0] || undefined;
    return [source, { value, output: outputs[0] as string }] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

const [STUDY, SERIES, INSTANCE, PATIENT, DATE, TIME] = [
  '0020000D',
  '0020000E',
  '00080018',
  '00100020',
  '00080020',
  '00080030',
] as const;
const two = {
  'a.dcm': image({
    [STUDY]: '1.2.3',
    [SERIES]: '1.2.3.1',
    [INSTANCE]: '1.2.3.1.1',
    [PATIENT]: 'P1',
    [DATE]: '20240229',
    [TIME]: '101500',
  }),
  'b.dcm': image({ [STUDY]: '1.2.3', [SERIES]: '1.2.3.2', [INSTANCE]: '1.2.3.2.1', [PATIENT]: 'P1', [DATE]: '20240307' }),
  'c.dcm': image({ [STUDY]: '1.2.9', [SERIES]: '1.2.9.1', [INSTANCE]: '1.2.9.1.1', [PATIENT]: 'P2', [DATE]: 'JOHN' }),
};

describe('identifiers', () => {
  it('are replaced alike for one study and patient, and differently for others', async () => {
    const { 'a.dcm': a, 'b.dcm': b, 'c.dcm': c } = await run(two);
    expect(a?.value(STUDY)).toMatch(/^2\.25\.\d{1,39}$/);
    expect(b?.value(STUDY)).toBe(a?.value(STUDY));
    expect(b?.value(PATIENT)).toBe(a?.value(PATIENT));
    expect(new Set([a, b, c].map((one) => one?.value(SERIES))).size).toBe(3);
    expect(c?.value(STUDY)).not.toBe(a?.value(STUDY));
    expect(c?.value(PATIENT)).not.toBe(a?.value(PATIENT));
    // Files of a patient lie in one folder, of his new name.
    expect(a?.output.split('/')[0]).toBe(a?.value(PATIENT));
  });

  it('differ between runs, and are the same in runs with one key, which only its owner can read', async () => {
    const [first, second] = [await run(two), await run(two)];
    expect(first['a.dcm']?.value(STUDY)).not.toBe(second['a.dcm']?.value(STUDY));
    const key = join(dir, 'study.key');
    const [third, fourth] = [await run(two, { key }), await run(two, { key })];
    expect(third['a.dcm']?.value(INSTANCE)).toBe(fourth['a.dcm']?.value(INSTANCE));
    expect(third['a.dcm']?.output).toBe(fourth['a.dcm']?.output);
    expect((await stat(key)).mode & 0o077).toBe(0);
  });

  it('are refused a key that is none', async () => {
    const key = join(dir, 'wrong.key');
    await writeFile(key, 'password');
    await expectError(run(two, { key }), { code: 'E_DEIDENTIFY_KEY', where: key });
  });
});

describe('dates', () => {
  it('are removed', async () => {
    const { 'a.dcm': a } = await run(two);
    expect([a?.value(DATE), a?.value(TIME)]).toEqual([undefined, undefined]);
    expect(a?.value('00280303')).toBe('REMOVED');
  });

  it('are shifted by the same days for one patient: intervals and times of day stay, what is no date goes', async () => {
    const { 'a.dcm': a, 'b.dcm': b, 'c.dcm': c } = await run(two, { dates: 'shift' });
    const day = (text: unknown) => Date.parse(String(text).replace(/(\d{4})(\d{2})(\d{2})/, '$1-$2-$3')) / 86_400_000;
    expect(day(b?.value(DATE)) - day(a?.value(DATE))).toBe(7);
    expect(day(a?.value(DATE))).toBeLessThan(day('20240229'));
    expect(a?.value(TIME)).toBe('101500');
    expect(c?.value(DATE)).toBeUndefined();
    expect(a?.value('00280303')).toBe('MODIFIED');
  });
});

describe('places', () => {
  it('may not lie in each other, nor hold anything yet', async () => {
    const here = await mkdtemp(join(dir, 'places-'));
    const from = join(here, 'from');
    await mkdir(join(here, 'full'), { recursive: true });
    await mkdir(from);
    await writeFile(join(from, 'a.dcm'), image({}));
    await writeFile(join(here, 'full', 'old.txt'), 'x');
    const to = join(here, 'to');
    const wrong = [
      [{ from, to: join(from, 'out') }, 'E_INPUT_IS_OUTPUT'],
      [{ from: join(here, 'from'), to: here }, 'E_INPUT_IS_OUTPUT'],
      [{ from, to, report: join(to, 'report') }, 'E_INPUT_IS_OUTPUT'],
      [{ from, to, map: join(to, 'map.json') }, 'E_INPUT_IS_OUTPUT'],
      [{ from, to, key: join(to, 'key') }, 'E_INPUT_IS_OUTPUT'],
      [{ from, to: join(here, 'full') }, 'E_OUTPUT_EXISTS'],
      [{ from, to, map: join(here, 'full', 'old.txt') }, 'E_OUTPUT_EXISTS'],
      [{ from: join(here, 'none'), to }, 'E_FILE_NOT_FOUND'],
      [{ from: join(from, 'a.dcm'), to }, 'E_OPTION_VALUE'],
    ] as const;
    for (const [options, code] of wrong) await expectError(deidentifyFolder(options), { code });
    expect(await readdir(from)).toEqual(['a.dcm']);
    expect(await readFile(join(here, 'full', 'old.txt'), 'utf8')).toBe('x');
  });
});
