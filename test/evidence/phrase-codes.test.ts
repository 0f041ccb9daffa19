import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { readPhraseCodes } from '../../src/evidence/index.js';
import { expectError } from '../support/expect-error.js';
import { pythonFor, pythonMissing, runPython } from '../support/python.js';
import { itUnless } from '../support/skipped.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const dir = temporaryFolder('phrase-codes');
const TABLE = 'configs/codes/ultrasound.yaml';

async function table(text: string): Promise<string> {
  const file = join(dir, 'codes.yaml');
  await writeFile(file, text);
  return file;
}

describe('codes of phrases', () => {
  it('are those of the finding and of its place, whatever the spelling', async () => {
    const codes = await readPhraseCodes();
    expect(codes.meaningOf('Malignant breast lesion.')).toEqual({
      category: { scheme: 'SCT', value: '49755003', meaning: 'Morphologically Abnormal Structure' },
      type: { scheme: 'SCT', value: '52988006', meaning: 'Lesion' },
      modifiers: [{ scheme: 'SCT', value: '21594007', meaning: 'Malignant' }],
      region: { scheme: 'SCT', value: '76752008', meaning: 'Breast' },
      known: true,
    });
  });

  it('of an unknown phrase are private, and the same for the same phrase', async () => {
    const codes = await readPhraseCodes();
    const meaning = codes.meaningOf('fluid behind the knee');
    expect(meaning.known).toBe(false);
    expect(meaning.type).toEqual({
      scheme: '99SONOGROUND',
      value: expect.stringMatching(/^[0-9A-F]{16}$/),
      meaning: 'fluid behind the knee',
    });
    expect(codes.meaningOf('Fluid behind the  knee').type).toEqual(meaning.type);
  });

  it('are there for the word of every class that comes with sonoground', async () => {
    const codes = await readPhraseCodes();
    const unknown: string[] = [];
    for (const name of await readdir('configs/prompts')) {
      const { classes } = parse(await readFile(join('configs/prompts', name), 'utf8'));
      for (const { strict, paper } of Object.values<{ strict: string; paper: string }>(classes))
        for (const phrase of [strict, paper]) if (!codes.meaningOf(phrase).known) unknown.push(phrase);
    }
    expect(unknown).toEqual([]);
  });

  it('of the user go first, and may use the names of the shipped ones', async () => {
    const file = await table(
      'codes:\n  Cyst of breast: SCT 399294002\nphrases:\n  cyst: { type: Cyst of breast, region: Breast }\n',
    );
    const { type, region } = (await readPhraseCodes(file)).meaningOf('cyst');
    expect([type.value, region?.value]).toEqual(['399294002', '76752008']);
  });

  it('are refused where a name stands for none, or a code has no scheme', async () => {
    await expectError(readPhraseCodes(await table('phrases:\n  cyst: { type: Cist }\n')), {
      code: 'E_CONFIG_VALUE',
      where: /codes\.yaml:2/,
      what: 'Cist',
      fix: 'Cyst',
    });
    await expectError(readPhraseCodes(await table('codes:\n  Cyst: 367643001\nphrases: {}\n')), { code: 'E_CONFIG_VALUE' });
    await expectError(readPhraseCodes(join(dir, 'none.yaml')), { code: 'E_FILE_NOT_FOUND' });
  });

  itUnless(pythonMissing('dicom'), "have the values and meanings of pydicom's copy of DICOM's dictionaries", async () => {
    const { codes } = parse(await readFile(TABLE, 'utf8')) as { codes: Record<string, string> };
    const script = `
import json
from pydicom.sr._concepts_dict import concepts
found = {}
for scheme in ('SCT', 'DCM'):
    for entry in concepts[scheme].values():
        for value, (meaning, _) in entry.items():
            found.setdefault(scheme + ' ' + value, []).append(meaning.lower())
print(json.dumps(found))`;
    const known: Record<string, string[]> = JSON.parse(runPython(pythonFor('dicom') as string, ['-c', script]));
    const wrong = Object.entries(codes).filter(([meaning, code]) => !known[code]?.includes(meaning.toLowerCase()));
    // Not of the set that DICOM includes.
    expect(wrong).toEqual([['Renal cortex', 'SCT 50403003']]);
  });
});
