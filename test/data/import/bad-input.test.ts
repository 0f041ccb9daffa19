import { spawn } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, jest } from '@jest/globals';
import { commands } from '../../../src/cli/commands.js';
import { main } from '../../../src/cli/main.js';
import { importDataset } from '../../../src/data/index.js';
import { DataError, UsageError } from '../../../src/util/index.js';
import { ownIdentity } from '../../../src/util/lock/index.js';
import { expectError } from '../../support/expect-error.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { mask, put, scan } from './miniatures/draw.js';
import { miniatures } from './miniatures/index.js';
import { objectsBySource, readSplit, SPLITS, sorted } from './support.js';

const dir = temporaryFolder('bad');

let made = 0;
const folder = () => join(dir, String(made++));

/** A miniature in a new folder. */
async function published(dataset: string, below = ''): Promise<string> {
  const from = folder();
  await mkdir(join(from, below), { recursive: true });
  await miniatures.find((miniature) => miniature.dataset === dataset)?.write(join(from, below));
  return from;
}

/** Every file below a folder with its size and time. */
async function everything(root: string): Promise<string[]> {
  const names = await readdir(root, { recursive: true });
  const states = await Promise.all(
    names.map(async (name) => {
      const { size, mtimeMs, ino } = await stat(join(root, name));
      return `${name} ${size} ${mtimeMs} ${ino}`;
    }),
  );
  return states.sort();
}

const totals = async (from: string, dataset: string) => {
  const { counts, problems } = await importDataset({ dataset, from, to: folder() });
  const sum = (what: 'rows' | 'images') => counts.train[what] + counts.val[what] + counts.test[what];
  return { rows: sum('rows'), images: sum('images'), problems };
};

describe('where it was unpacked', () => {
  it.each(['', 'Dataset_BUSI_with_GT', 'x/y'])('makes no difference (%s)', async (below) => {
    const from = await published('BUSI', below === 'Dataset_BUSI_with_GT' ? '' : below);
    const named = below === 'Dataset_BUSI_with_GT' ? join(from, below) : from;
    expect(await totals(named, 'busi')).toEqual({ rows: 12, images: 15, problems: [] });
  });

  it('may be named one level too deep: its content is found', async () => {
    const from = join(await published('BUSI'), 'Dataset_BUSI_with_GT', 'benign');
    expect(await totals(from, 'busi')).toEqual({ rows: 7, images: 5, problems: [] });
  });

  it('may hold a second copy further down, which is not imported again', async () => {
    const from = await published('105US');
    await cp(from, join(dir, 'aside'), { recursive: true });
    await rename(join(dir, 'aside'), join(from, '105US'));
    const { images, problems } = await totals(from, '105us');
    expect(images).toBe(10);
    expect(problems).toHaveLength(20);
    expect(problems[0]?.what).toMatch(/^a second copy of 105 US /);
  });

  it('may have spaces and letters of any alphabet, and other cases', async () => {
    const from = join(dir, 'Üllő 超音波 (1)');
    await mkdir(from);
    await cp(await published('BUID'), from, { recursive: true });
    for (const name of await readdir(join(from, 'Benign')))
      await rename(join(from, 'Benign', name), join(from, 'Benign', name.toUpperCase()));
    await rename(join(from, 'Malignant'), join(from, 'mAlIgNaNt'));
    expect(await totals(from, 'BuID')).toEqual({ rows: 12, images: 10, problems: [] });
  });

  it('must be a folder, unpacked', async () => {
    const zip = join(dir, 'BUSI.zip');
    await writeFile(zip, 'PK');
    await expectError(importDataset({ dataset: 'busi', from: zip, to: folder() }), { code: 'E_DATASET_PACKED' });
    const from = folder();
    await put(from, 'Benign.zip', 'PK');
    await expectError(importDataset({ dataset: 'buid', from, to: folder() }), {
      code: 'E_DATASET_PACKED',
      what: 'Benign.zip is still packed',
    });
    await expectError(importDataset({ dataset: 'buid', from: join(dir, 'no'), to: folder() }), { code: 'E_FILE_NOT_FOUND' });
  });

  it('must hold the dataset', async () => {
    const from = folder();
    await put(from, 'readme.txt', 'nothing here');
    const error = await importDataset({ dataset: 'aul', from, to: folder() }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(DataError);
    expect((error as DataError).message).toMatch(/it holds nothing of this dataset.*AUL is laid out as .*zenodo/);
    await expectError(importDataset({ dataset: 'aul', from: await published('BUSI'), to: folder() }), {
      code: 'E_DATASET_OTHER',
      what: 'it looks like BUSI, not AUL',
    });
  });
});

describe('tables', () => {
  it.each([
    ['byte order mark and CRLF', (rows: string[][]) => `\uFEFF${rows.map((row) => row.join(',')).join('\r\n')}\r\n`],
    ['semicolons', (rows: string[][]) => rows.map((row) => row.map((cell) => `"${cell}"`).join(';')).join('\n')],
  ])('may be CSV with %s', async (_name, write) => {
    const from = await published('BrEaST');
    await rm(join(from, 'BrEaST-Lesions-USG-clinical-data-Dec-15-2023.xlsx'));
    const rows = [['CaseID', 'Image_filename', 'Mask_tumor_filename', 'Classification']];
    for (let n = 1; n <= 10; n++) {
      const stem = `case${String(n).padStart(3, '0')}`;
      rows.push([String(n), `${stem}.png`, n === 4 ? '' : `${stem}_tumor.png`, n === 4 ? 'normal' : 'Malignant']);
    }
    await put(from, 'clinical.csv', write(rows));
    expect(await totals(from, 'breast')).toEqual({ rows: 10, images: 10, problems: [] });
  });

  it('must be there, and have the columns', async () => {
    const from = await published('BrEaST');
    await rm(join(from, 'BrEaST-Lesions-USG-clinical-data-Dec-15-2023.xlsx'));
    await expectError(importDataset({ dataset: 'breast', from, to: folder() }), {
      code: 'E_DATASET_NOT_FOUND',
      what: 'table with the classes is not there',
    });
    const busbra = await published('BUS-BRA');
    await put(busbra, 'BUSBRA/bus_data.csv', 'ID,Case\nbus_0001-l,1\n');
    await expectError(importDataset({ dataset: 'busbra', from: busbra, to: folder() }), {
      code: 'E_TABLE_INVALID',
      what: 'it has no column pathology; its columns are id, case',
    });
  });

  it('may list missing images, and omit present ones', async () => {
    const from = await published('BUS-B');
    const table = join(from, 'BUS', 'DatasetB.csv');
    const text = await readFile(table, 'utf8');
    await writeFile(
      table,
      `${text.replace(/^000002,.*\r\n/m, '')}000099,Benign\r\n000003,Odd\r\n`.replace('000004,Benign', '000004,unclear'),
    );
    const { images, problems } = await totals(from, 'busb');
    expect(images).toBe(8);
    expect(problems).toEqual([
      { file: 'BUS/original/000004.png', what: 'its class is unclear, not benign or malignant' },
      { file: 'BUS/DatasetB.csv', what: 'it lists 000099, which is not among the images' },
      { file: 'BUS/DatasetB.csv', what: 'it lists 000003, which is not among the images' },
      { file: 'BUS/original/000002.png', what: 'it is not in the table' },
    ]);
  });
});

describe('files', () => {
  async function damaged(): Promise<string> {
    const from = await published('BUSI');
    const benign = join(from, 'Dataset_BUSI_with_GT', 'benign');
    const image = await readFile(join(benign, 'benign (1).png'));
    await writeFile(join(benign, 'benign (1).png'), image.subarray(0, image.length / 2));
    await writeFile(join(benign, 'benign (3)_mask.png'), '');
    await rm(join(benign, 'benign (4)_mask.png'));
    await rm(join(benign, 'benign (5).png'));
    await put(benign, 'notes.png', await scan(9, 9, 1));
    await put(benign, '._benign (2).png', 'left by a Mac');
    await put(join(from, '__MACOSX', 'benign'), 'benign (2).png', 'left by a Mac');
    await put(join(from, 'Dataset_BUSI_with_GT', 'malignant'), 'malignant (2)_mask.png', await mask(20, 60, [[1, 1, 5, 5]]));
    return from;
  }

  const BAD = [
    { file: 'Dataset_BUSI_with_GT/benign/benign (4).png', what: 'it has no mask' },
    { file: 'Dataset_BUSI_with_GT/benign/notes.png', what: 'it has no mask' },
    { file: 'Dataset_BUSI_with_GT/benign/benign (5)_mask.png', what: 'a mask without its image' },
    { file: 'Dataset_BUSI_with_GT/benign/benign (1).png', what: 'it cannot be read as an image' },
    { file: 'Dataset_BUSI_with_GT/benign/benign (3)_mask.png', what: 'it cannot be read as an image' },
    {
      file: 'Dataset_BUSI_with_GT/malignant/malignant (2)_mask.png',
      what: 'the mask is 20x60, its image 44x32',
    },
  ];

  it('that are missing, over, broken or of other proportions are left out and listed by name; the source stays as it is', async () => {
    const from = await damaged();
    const before = await everything(from);
    const to = folder();
    const report = await importDataset({ dataset: 'busi', from, to });
    expect(report.problems).toEqual(BAD);
    expect(JSON.parse(await readFile(join(to, 'report.json'), 'utf8')).problems).toEqual(BAD);
    expect(Object.keys(await objectsBySource(to))).toHaveLength(10);
    expect(await everything(from)).toEqual(before);
  });

  it('end the import with --on-bad stop', async () => {
    const from = await damaged();
    await expectError(importDataset({ dataset: 'busi', from, to: folder(), onBad: 'stop' }), {
      code: 'E_DATA_UNUSABLE',
      where: 'benign (4).png',
      what: 'it has no mask',
    });
    const aul = await published('AUL');
    await writeFile(join(aul, 'Benign/Benign/image/2.jpg'), 'not an image');
    await expectError(importDataset({ dataset: 'aul', from: aul, to: folder(), onBad: 'stop' }), {
      code: 'E_DATA_UNUSABLE',
      where: 'Benign/Benign/image/2.jpg',
      what: 'it cannot be read as an image',
    });
  });

  it('may all be bad', async () => {
    const from = folder();
    for (const n of [1, 2]) {
      await put(from, `Test_Image_${n}.png`, 'not an image');
      await put(from, `mask_${n}.png`, await mask(8, 8, []));
    }
    await expectError(importDataset({ dataset: 'stu', from, to: folder() }), {
      code: 'E_DATA_UNUSABLE',
      where: /Test_Image_\d\.png/,
      what: 'it cannot be read as an image',
    });
  });

  it('of half an archive are an error that names the missing files', async () => {
    const from = await published('TN3K');
    await rm(join(from, 'tn3k', 'trainval-mask'), { recursive: true });
    await rm(join(from, 'tn3k', 'test-mask'), { recursive: true });
    await expectError(importDataset({ dataset: 'tn3k', from, to: folder() }), {
      code: 'E_DATASET_NOT_FOUND',
      what: /nothing can be imported \(tn3k\/(test|trainval)-image\/0000\.jpg: it has no mask, and 11 more\)/,
    });
  });

  it('that differ from the published number are reported in a note', async () => {
    const notes = async (dataset: string) =>
      (await importDataset({ dataset, from: await published(dataset), to: folder() })).notes.at(-1);
    expect(await notes('STU')).toBe('10 images are complete here, STU was published with 42');
    expect(await notes('RegPro')).toBe('6 volumes are complete here, RegPro was published with 73');
  });

  it('of outlines and volumes are listed too', async () => {
    const aul = await published('AUL');
    await put(aul, 'Benign/Benign/segmentation/mass/1.json', '[[1, 2]]');
    await put(aul, 'Benign/Benign/segmentation/mass/2.json', '{');
    expect((await totals(aul, 'aul')).problems.map(({ what }) => what)).toEqual([
      'its outline has fewer than three points',
      'it cannot be read as JSON',
    ]);
    const micro = await published('MicroSeg');
    const volumes = join(micro, 'Micro_Ultrasound_Prostate_Segmentation_Dataset', 'train');
    const whole = await readFile(join(volumes, 'expert_annotations', 'expert_annotation_train_02.nii.gz'));
    await writeFile(
      join(volumes, 'expert_annotations', 'expert_annotation_train_02.nii.gz'),
      whole.subarray(0, whole.length - 30),
    );
    await writeFile(join(volumes, 'micro_ultrasound_scans', 'microUS_train_03.nii.gz'), 'no volume');
    const { images, problems } = await totals(micro, 'microseg');
    expect(images).toBe(16);
    expect(problems.map(({ file }) => file.slice(file.lastIndexOf('/') + 1))).toEqual([
      'expert_annotation_train_02.nii.gz',
      'microUS_train_03.nii.gz',
    ]);
  });
});

describe('outlines of kidneyUS', () => {
  const IMAGE = 'kidneyUS_images_14_june_2022/100_IM-0246-0030_anon.png';
  const boxes = async (from: string) => {
    const to = folder();
    await importDataset({ dataset: 'kidney', from, to });
    return (await objectsBySource(to))[IMAGE];
  };

  it('count by themselves where a mask is empty or there is none', async () => {
    const from = await published('KidneyUS');
    const outlined = miniatures.find(({ dataset }) => dataset === 'KidneyUS')?.images[IMAGE];
    const masks = join(from, 'kidneyUS-main', 'labels', 'reviewed_masks_2');
    for (const kind of ['capsule', 'regions']) await put(masks, `${kind}/100_IM-0246-0030_anon.png`, await mask(64, 48, []));
    expect(await boxes(from)).toEqual(sorted(outlined ?? []));
    await rm(masks, { recursive: true });
    const { counts } = await importDataset({ dataset: 'kidney', from, to: folder(), protocol: 'paper' });
    expect(counts.train.rows + counts.val.rows + counts.test.rows).toBe(8 * (1 + 3 * 4) + (1 + 2 + 2));
    expect(await boxes(from)).toEqual(sorted(outlined ?? []));
  });

  it('are in one file where the table lists an image and a structure twice, as in the published code', async () => {
    const from = await published('KidneyUS');
    const table = join(from, 'kidneyUS-main', 'labels', 'reviewed_labels_2.csv');
    const lines = (await readFile(table, 'utf8')).trimEnd().split('\r\n');
    const twice = lines.filter((line) => /^(100_IM-0246|13_IM-0002)/.test(line)).filter((line) => /,[01],"/.test(line));
    await writeFile(table, `${[...lines, ...twice].join('\r\n')}\r\n`);
    const to = folder();
    const { counts } = await importDataset({ dataset: 'kidneyus', from, to, protocol: 'paper' });
    const rows = counts.train.rows + counts.val.rows + counts.test.rows;
    // Each of the two images once more: the capsule, and the four or two pieces of the regions.
    expect(rows).toBe(8 * (1 + 3 * 4) + (1 + 2 + 2) + (1 + 4) + (1 + 2));
    const files = await readdir(join(to, 'images'));
    expect(files).toHaveLength(8 * 4 + 3);
    expect(files.filter((name) => /-2\.png$/.test(name))).toEqual([]);
    const named = new Set<string>();
    for (const split of SPLITS) {
      const { images } = await readSplit(to, split);
      for (const { file_name } of images) named.add(file_name);
      expect(counts[split].files).toBe(images.length);
    }
    expect(named.size).toBe(files.length);
  });

  it('are those of the other reviewer where one is missing', async () => {
    const from = await published('KidneyUS');
    await rm(join(from, 'kidneyUS-main', 'labels', 'reviewed_labels_2.csv'));
    const { counts, notes } = await importDataset({ dataset: 'kidneyus', from, to: folder() });
    expect(counts.train.images + counts.val.images + counts.test.images).toBe(10);
    expect(notes).toContain('reviewed_labels_2.csv is not there: the outlines are those of reviewer 1');
  });

  it('are listed where they are invalid, of another anatomy, or of a missing image', async () => {
    const from = await published('KidneyUS');
    const table = join(from, 'kidneyUS-main', 'labels', 'reviewed_labels_2.csv');
    const text = await readFile(table, 'utf8');
    const odd = [
      'gone.png,1,{},1,0,"{""name"":""polygon"",""all_points_x"":[1,5,5],""all_points_y"":[1,1,5]}","{""Anatomy"":""Cortex""}"',
    ];
    odd.push('12_IM-0001-0002_anon.png,1,{},1,0,"{""name"":""point"",""cx"":3}","{""Anatomy"":""Cortex""}"');
    odd.push(
      '12_IM-0001-0002_anon.png,1,{},1,1,"{""name"":""polygon"",""all_points_x"":[1,5,5],""all_points_y"":[1,1,5]}","{""Anatomy"":""Cyst""}"',
    );
    await writeFile(table, `${text}${odd.join('\r\n')}\r\n`);
    expect((await totals(from, 'kidneyus')).problems).toEqual([
      {
        file: 'kidneyUS-main/labels/reviewed_labels_2.csv',
        what: 'row 47, 12_IM-0001-0002_anon.png: its region is no polygon with an Anatomy',
      },
      { file: '12_IM-0001-0002_anon.png', what: 'the table names an anatomy "cyst", which is left out' },
      { file: 'gone.png', what: 'it is in the table and not among the images' },
    ]);
  });
});

describe('options and targets', () => {
  it('are refused with what to do', async () => {
    const from = await published('STU');
    const to = folder();
    await expectError(importDataset({ dataset: 'kidnyuss', from, to }), { code: 'E_DATASET_UNKNOWN', where: '--dataset' });
    await expectError(importDataset({ dataset: 'stu', from, to, officialSplits: true }), {
      code: 'E_OPTION_CONFLICT',
      class: UsageError,
      where: '--official-splits',
    });
    await expectError(importDataset({ dataset: 'stu', from, to, variant: 'stage2' }), {
      code: 'E_OPTION_VALUE',
      class: UsageError,
      where: '--variant',
    });
    await expectError(importDataset({ dataset: 'folders', from, to, protocol: 'paper' }), {
      code: 'E_OPTION_CONFLICT',
      class: UsageError,
      where: '--protocol',
    });
    await expectError(importDataset({ dataset: 'stu', from, to: join(from, 'out') }), {
      code: 'E_INPUT_IS_OUTPUT',
      what: 'it lies in the folder',
    });
    await expectError(importDataset({ dataset: 'stu', from, to: dirname(from) }), {
      code: 'E_INPUT_IS_OUTPUT',
      what: 'lies in it',
    });
    await expectError(importDataset({ dataset: 'stu', from, to: join(from, 'Hospital', 'mask_1.png') }), {
      code: 'E_INPUT_IS_OUTPUT',
      class: DataError,
    });
    await put(to, 'mine.txt', 'keep');
    await expectError(importDataset({ dataset: 'stu', from, to }), { code: 'E_OUTPUT_EXISTS', what: 'the folder is not empty' });
    await importDataset({ dataset: 'stu', from, to, overwrite: true });
    expect(await readFile(join(to, 'mine.txt'), 'utf8')).toBe('keep');
    // Another process is at work there; process 1 always runs.
    const lock = (pid: number) => JSON.stringify({ ...ownIdentity(), started: undefined, pid, since: 'today', token: 'x' });
    await put(to, '.import/lock', lock(1));
    await expectError(importDataset({ dataset: 'stu', from, to }), {
      code: 'E_FOLDER_IN_USE',
      what: 'process 1 is importing into it',
    });
    await put(to, '.import/lock', lock(999999999));
    await importDataset({ dataset: 'stu', from, to });
    const busi = await published('BUSI');
    await expectError(importDataset({ dataset: 'busi', from: busi, to }), {
      code: 'E_OUTPUT_EXISTS',
      what: /it holds another import \(stu strict\)/,
    });
    const { counts } = await importDataset({ dataset: 'busi', from: busi, to, overwrite: true });
    expect(counts.test.images).toBeGreaterThan(0);
    expect((await readdir(join(to, 'images'))).every((name) => name.startsWith('busi_'))).toBe(true);
  });

  it('takes splits that were published when asked to', async () => {
    const splits = async (dataset: string) => {
      const { counts } = await importDataset({ dataset, from: await published(dataset), to: folder(), officialSplits: true });
      return [counts.train.images, counts.val.images, counts.test.images];
    };
    expect(await splits('TN3K')).toEqual([4, 2, 6]);
    expect(await splits('TG3K')).toEqual([8, 2, 0]);
    expect(await splits('S1')).toEqual([7, 3, 1]);
    expect(await splits('MicroSeg')).toEqual([12, 4, 8]);
    expect(await splits('RegPro')).toEqual([16, 8, 0]);
  });

  it('takes the images cut out around the nodule when asked to, and says what they are', async () => {
    const from = await published('TNSCUI');
    const report = await importDataset({ dataset: 'tnscui', from, to: folder(), variant: 'stage2' });
    expect(report.notes[0]).toMatch(/cut out around the true nodule/);
    await rm(join(from, 'DDTI', '1_or_data'), { recursive: true });
    await expectError(importDataset({ dataset: 'ddti', from, to: folder() }), {
      code: 'E_DATASET_NOT_FOUND',
      what: /1_or_data\/image is not there, but stage1 is/,
    });
  });

  it.each([
    ['whole scans', 80, 64, 'original', 'stage2'],
    ['cut out at 256 pixels', 256, 256, 'stage1', 'original'],
    ['cut out at 512 pixels', 512, 512, 'stage2', 'original'],
  ])('imports DDTI as it is redistributed, one version at a time: %s', async (_name, width, height, variant, other) => {
    const from = folder();
    await put(from, 'dataset/readme.txt', 'secondary processed DDTI');
    for (const n of [1, 2, 10]) {
      // JPEG by content, PNG by name.
      await put(from, `dataset/image/${n}.PNG`, await scan(width, height, 500 + n, 'jpg'));
      await put(from, `dataset/mask/${n}.PNG`, await mask(width, height, [[10 + n, 20, 15, 12]]));
    }
    const to = folder();
    const { counts, problems } = await importDataset({ dataset: 'tnscui', from, to, variant });
    expect(problems).toEqual([]);
    expect([counts.train.images, counts.val.images, counts.test.images]).toEqual([0, 0, 3]);
    expect((await objectsBySource(to))['dataset/image/10.PNG']).toEqual([['thyroid nodule', 20, 20, 15, 12]]);
    await expectError(importDataset({ dataset: 'tnscui', from, to: folder(), variant: other }), {
      code: 'E_DATASET_NOT_FOUND',
      what: `is not there, but ${variant} is: --variant ${variant}`,
    });
  });

  it('does not take any folder of images and masks for a set whose files are named like all others', async () => {
    const from = folder();
    for (const n of [1, 2, 3]) {
      await put(from, `images/${n}.png`, await scan(40, 30, n));
      await put(from, `masks/${n}.png`, await mask(40, 30, [[3, 4, 10, 8]]));
    }
    await expectError(importDataset({ dataset: 'busb', from, to: folder() }), {
      code: 'E_DATASET_NOT_FOUND',
      what: 'it holds nothing of this dataset',
    });
  });
});

describe('an import that was stopped', () => {
  const RUN = fileURLToPath(new URL('../../../scripts/run.mjs', import.meta.url));

  /** Runs the command, in worker threads; ends it when that many images are there. */
  function command(args: readonly string[], killAt?: { readonly to: string; readonly images: number }): Promise<number | null> {
    return new Promise((resolve) => {
      const child = spawn(process.execPath, [RUN, 'import-data', ...args], { stdio: 'ignore' });
      const watch = setInterval(async () => {
        const names = killAt === undefined ? [] : await readdir(join(killAt.to, 'images')).catch(() => []);
        if (killAt !== undefined && names.length >= killAt.images) child.kill('SIGKILL');
      }, 5);
      child.on('close', (code) => {
        clearInterval(watch);
        resolve(code);
      });
    });
  }

  it('resumes after an interruption and gives the same result', async () => {
    const [from, to, whole] = [folder(), folder(), folder()];
    for (let n = 0; n < 130; n++) {
      await put(from, `images/${n}.png`, await scan(200, 160, n));
      await put(
        from,
        `masks/${n}.png`,
        await mask(200, 160, [
          [10, 10, 40, 50],
          [80 + (n % 60), 70, 20, 20],
        ]),
      );
    }
    const args = (target: string) => ['--dataset', 'folders', '--from', from, '--to', target, '--prompt', 'cyst'];
    expect(await command(args(to), { to, images: 15 })).toBeNull();
    expect(await readdir(join(to, 'annotations')).catch(() => [])).toEqual([]);
    const before = (await readFile(join(to, '.import', 'journal.jsonl'), 'utf8')).split('\n').length;
    expect(before).toBeGreaterThan(5);
    const times = async () => new Map((await everything(join(to, 'images'))).map((line) => [line.split(' ')[0], line]));
    const first = await times();
    expect(await command(args(to))).toBe(0);
    // Without threads, nothing of it being there before.
    await importDataset({ dataset: 'folders', from, to: whole, prompts: ['cyst'] });
    for (const name of ['annotations/train.json', 'annotations/val.json', 'annotations/test.json', 'report.json'])
      expect(await readFile(join(to, name), 'utf8')).toBe(await readFile(join(whole, name), 'utf8'));
    expect(await readdir(join(to, 'images'))).toEqual(await readdir(join(whole, 'images')));
    expect(await readdir(join(to, 'masks'))).toEqual(await readdir(join(whole, 'masks')));
    // What was in place was not written again.
    const second = await times();
    expect([...first].filter(([name, line]) => second.get(name) === line).length).toBeGreaterThan(5);
    const done = await times();
    await importDataset({ dataset: 'folders', from, to, prompts: ['cyst'] });
    expect(await times()).toEqual(done);
    // A changed source is done again; a lost file comes back.
    await put(from, 'masks/7.png', await mask(200, 160, [[1, 2, 30, 40]]));
    await rm(join(to, 'images', 'folders_9.png'), { force: true });
    await rm(join(to, 'masks', (await readdir(join(to, 'masks')))[0] as string));
    await importDataset({ dataset: 'folders', from, to, prompts: ['cyst'], seed: 7 });
    const splits = await Promise.all(['train', 'val', 'test'].map((split) => readSplit(to, split)));
    expect(splits.flatMap(({ annotations }) => annotations)).toHaveLength(259);
    expect(await readdir(join(to, 'masks'))).toHaveLength(259);
  });

  it('ends with 1 and a line for a person when nothing can be imported, with 2 for an unknown name', async () => {
    const errors: string[] = [];
    const silent = jest.spyOn(process.stderr, 'write').mockImplementation((text) => errors.push(String(text)) > 0);
    try {
      const run = (...args: string[]) => main(['import-data', ...args, '--to', folder()], commands);
      expect(await run('--dataset', 'busi', '--from', join(dir, 'no'))).toBe(1);
      expect(await run('--dataset', 'nobody', '--from', dir)).toBe(2);
      expect(await run('--dataset', 'stu', '--from', dir, '--seed', 'x')).toBe(2);
    } finally {
      silent.mockRestore();
    }
    expect(errors.join('')).toMatch(
      /^error: .*no: there is no such folder.*\nerror: --dataset: there is no dataset nobody.*\nerror: --seed: /s,
    );
  });
});
