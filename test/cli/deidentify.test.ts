import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { encodePng } from '../../src/imaging/index.js';
import { runCommand } from '../support/command.js';
import { dicom } from '../support/dicom.js';
import { scanImage } from '../support/scan-image.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const dir = temporaryFolder('deidentify');
const from = join(dir, 'from');
const scan = scanImage({ width: 128, height: 96 });

/** A DICOM object of another kind. */
function object(sopClass: string): Buffer {
  const more = { '00080016': { vr: 'UI', Value: [sopClass] } };
  return dicom({ width: 128, height: 96, frames: [scan.data], samples: 3, photometric: 'RGB', more });
}

beforeAll(async () => {
  await mkdir(join(from, 'JANE DOE'), { recursive: true });
  await writeFile(join(from, 'JANE DOE', 'scan.png'), await encodePng(scan));
  await writeFile(join(from, 'report.dcm'), object('1.2.840.10008.5.1.4.1.1.88.33'));
  await writeFile(join(from, 'letter.dcm'), object('1.2.840.10008.5.1.4.1.1.104.1'));
  await writeFile(join(from, 'cut.png'), (await encodePng(scan)).subarray(0, 500));
  await writeFile(join(from, 'notes.txt'), 'JANE DOE');
  await writeFile(join(from, 'black.png'), await encodePng({ width: 64, height: 48, data: new Uint8Array(64 * 48 * 3) }));
  await writeFile(join(from, '.DS_Store'), 'JANE DOE');
});

describe('npm run deidentify', () => {
  it('names and counts every file that it does not write, and ends with 1', async () => {
    const to = join(dir, 'to');
    const { code, text } = await runCommand(['deidentify', '--from', from, '--to', to]);
    expect(code).toBe(1);
    expect(text).toMatch(/report\.dcm: it is a structured report, .*E_DEIDENTIFY_KIND/);
    expect(text).toMatch(/letter\.dcm: it is an encapsulated PDF, .*E_DEIDENTIFY_KIND/);
    expect(text).toMatch(/cut\.png: .*E_IMAGE/);
    expect(text).toMatch(/notes\.txt: .*E_IMAGE_UNREADABLE/);
    expect(text).toMatch(/black\.png: no scan was found in it.*E_DEIDENTIFY_REGION/);
    expect(text).toContain('6 files: 1 images or clips written');
    expect(text).toContain('5 files refused, 1 hidden files left out');
    const files = (await readdir(to, { recursive: true })).filter((name) => name.includes('.'));
    expect(files).toEqual([expect.stringMatching(/^[0-9a-f]{16}.[0-9a-f]{16}\.png$/)]);
    const report = JSON.parse(await readFile(join(`${to}-report`, 'report.json'), 'utf8'));
    expect(report.refused).toHaveLength(5);
    const page = await readFile(join(`${to}-report`, 'report.html'), 'utf8');
    // Complete in itself, and a picture before and after.
    expect(page).not.toMatch(/(src|href)="(?!data:|report)/);
    expect(page.match(/data:image\/webp/g)).toHaveLength(2);
    expect(page).not.toMatch(/JANE|DOE|scan\.png/);
  });

  it('blanks further boxes when asked, and refuses what is no box', async () => {
    const only = join(dir, 'only');
    await mkdir(only);
    await writeFile(join(only, 'scan.png'), await encodePng(scan));
    const { code } = await runCommand(['deidentify', '--from', only, '--to', join(dir, 'boxes'), '--blank', '50,40,70,60']);
    expect(code).toBe(0);
    const [file] = (await readdir(join(dir, 'boxes'))) as [string];
    const { decodeImage } = await import('../../src/imaging/index.js');
    const { data } = await decodeImage(join(dir, 'boxes', file));
    expect(scan.data[3 * (50 * 128 + 60)]).toBeGreaterThan(0);
    expect(data[3 * (50 * 128 + 60)]).toBe(0);
    for (const box of ['1,2,3', '5,5,1,1', 'a,b,c,d', '0,0,-1,4'])
      expect(await runCommand(['deidentify', '--from', only, '--to', join(dir, 'x'), `--blank=${box}`])).toMatchObject({
        code: 2,
        text: expect.stringMatching(/--blank: .* is no box/),
      });
  });

  it('takes no folder for a missing one', async () => {
    const { code, text } = await runCommand(['deidentify', '--from', join(dir, 'none'), '--to', join(dir, 'x')]);
    expect(code).toBe(2);
    expect(text).toMatch(/there is no such folder/);
  });
});
