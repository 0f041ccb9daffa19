import { spawnSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { main } from '../../src/cli/main.js';
import { type NamedArray, readSafetensors, writeSafetensors } from '../../src/weights/formats/index.js';
import { runCommand } from '../support/command.js';
import { fixturePath } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const DETECTOR = 'grounding-dino-four-levels';
const MASKER = 'sam2-odd';

/** What a fixture holds that `forward` takes. */
const TAKEN = /^in\.(pixel_\w+|input_ids|attention_mask|token_type_ids|input_boxes|input_points|input_labels)$/;

const dir = temporaryFolder('bad-input');
beforeAll(async () => {
  process.env['HF_HOME'] = join(dir, 'no-cache');
  await mkdir(join(dir, 'detector'));
  await mkdir(join(dir, 'masker'));
  for (const file of ['config.json', 'model.safetensors']) {
    await cp(fixturePath(DETECTOR, file), join(dir, 'detector', file));
    await cp(fixturePath(MASKER, file), join(dir, 'masker', file));
  }
  const cut = await readFile(fixturePath(DETECTOR, 'model.safetensors'));
  await mkdir(join(dir, 'truncated'));
  await cp(fixturePath(DETECTOR, 'config.json'), join(dir, 'truncated', 'config.json'));
  await writeFile(join(dir, 'truncated', 'model.safetensors'), cut.subarray(0, cut.length - 100));
  await mkdir(join(dir, 'mixed'));
  await cp(fixturePath(DETECTOR, 'config.json'), join(dir, 'mixed', 'config.json'));
  await cp(fixturePath(MASKER, 'model.safetensors'), join(dir, 'mixed', 'model.safetensors'));
  await mkdir(join(dir, 'other'));
  await writeFile(join(dir, 'other', 'config.json'), '{"model_type": "bert"}');
  await mkdir(join(dir, 'broken'));
  await writeFile(join(dir, 'broken', 'config.json'), '{"model_type": ');
  await mkdir(join(dir, 'wrong'));
  await writeFile(join(dir, 'wrong', 'config.json'), '{"model_type": "grounding-dino", "d_model": "wide"}');
  await writeFile(join(dir, 'file'), 'no folder');
  await writeFile(join(dir, 'bad.png'), 'not an image');
  await mkdir(join(dir, 'empty'));
  await writeFile(join(dir, 'typo.yaml'), `run: {dir: ${join(dir, 'run')}}\ndata: {format: phantom}\ntrain: {epochz: 3}\n`);
  await writeFile(
    join(dir, 'stu.yaml'),
    `run: {dir: ${join(dir, 'run')}}\ndata: {format: stu, root: ${join(dir, 'nowhere')}, prompt: lesion}\n`,
  );
  await inputs('detector.safetensors', DETECTOR, {});
  await inputs('masker.safetensors', MASKER, {});
  const whole = await readFile(join(dir, 'detector.safetensors'));
  await writeFile(join(dir, 'cut.safetensors'), whole.subarray(0, whole.length / 2));
  const wide = { dtype: 'float32' as const, shape: [2, 3, 4], data: new Float32Array(24) };
  await inputs('shapes.safetensors', DETECTOR, { pixel_values: wide, attention_mask: wide });
  await inputs('missing.safetensors', DETECTOR, { input_ids: undefined, pixel_value: wide });
  const ids = { dtype: 'int32' as const, shape: [2, 11], data: new Int32Array(22).fill(99999) };
  await inputs('ids.safetensors', DETECTOR, { input_ids: ids });
  const boxes = { dtype: 'float32' as const, shape: [2, 3, 5], data: new Float32Array(30) };
  await inputs('boxes.safetensors', MASKER, {
    input_boxes: boxes,
    pixel_values: { dtype: 'float32', shape: [1, 3, 8, 8], data: new Float32Array(192) },
  });
  await inputs('labels.safetensors', MASKER, { input_points: undefined });
  await inputs('flag.safetensors', MASKER, {}, { multimask_output: 'maybe' });
});

/** Inputs for `forward`: those of a fixture with changes. */
async function inputs(
  file: string,
  fixture: string,
  changes: Record<string, NamedArray | undefined>,
  metadata: Record<string, string> = {},
): Promise<void> {
  const { arrays } = await readSafetensors(fixturePath(fixture, 'case.safetensors'));
  const own = [...arrays].filter(([name]) => TAKEN.test(name)).map(([name, array]) => [name.slice(3), array] as const);
  const changed = Object.entries({ ...Object.fromEntries(own), ...changes });
  const present = changed.filter((item): item is [string, NamedArray] => item[1] !== undefined);
  await writeSafetensors(join(dir, file), new Map(present), { metadata });
}

/** Runs a command line in the temporary folder's terms. */
const run = (line: readonly string[]) => runCommand(line.map((word) => word.replaceAll('@', `${dir}/`)));

const forward = (model: string, file: string, ...more: string[]) => [
  'forward',
  '--model',
  `@${model}`,
  '--inputs',
  `@${file}`,
  '--outputs',
  '@out.safetensors',
  ...more,
];
const infer = (...words: string[]) => ['infer', '--out', '@out', ...words];

/** The exit code, what the message names, and what it says. */
const table: [name: string, line: string[], code: number, named: string, said: string][] = [
  ['an unknown command', ['forwrd'], 2, 'forwrd', 'the nearest is forward'],
  ['no command', [], 2, '', 'Name a command'],
  ['an unknown option', ['train', '--config', 'x.yaml', '--sett', 'a=b'], 2, 'sett', 'did you mean --set?'],
  ['missing options', ['forward'], 2, 'forward', 'model, inputs, outputs'],
  ['an unknown backend', ['doctor', '--backend', 'abacus'], 2, 'backend', 'abacus'],
  ['a missing model folder', forward('none', 'detector.safetensors'), 1, '@none', 'there is no such folder or weight file'],
  ['an unknown model name', forward('', '').with(2, 'sam2-hiera-huge'), 2, 'sam2-hiera-huge', 'did you mean sam2-hiera-large?'],
  ['an unknown precision', ['serve', '--precision', 'half'], 2, 'precision', 'bfloat16'],
  [
    'a threshold calibrated in another precision than it is stored for',
    ['eval', '--config', '@none.yaml', '--calibrate', '0.05', '--precision', 'bfloat16'],
    2,
    '--calibrate',
    'float32',
  ],
  [
    'a model that was not downloaded',
    forward('', '').with(2, 'sam2-hiera-large'),
    1,
    'sam2-hiera-large',
    'npx sonoground download sam2-hiera-large',
  ],
  [
    'a model of another kind',
    forward('other', 'detector.safetensors'),
    1,
    '@other/config.json',
    'expected model_type grounding-dino or mm-grounding-dino or sam2 or sam2_video or sam or samus or universeg or clip or biomedparse, got bert',
  ],
  ['a config that is not JSON', forward('broken', 'detector.safetensors'), 1, '@broken/config.json', 'not valid JSON'],
  ['a config with a wrong field', forward('wrong', 'detector.safetensors'), 1, '@wrong/config.json', 'd_model: expected number'],
  [
    'truncated weights',
    forward('truncated', 'detector.safetensors'),
    1,
    '@truncated/model.safetensors',
    'ends after the file does',
  ],
  [
    'weights of another model',
    forward('mixed', 'detector.safetensors'),
    1,
    '@mixed/model.safetensors',
    'the weights do not fit the model',
  ],
  ['missing inputs file', forward('detector', 'none.safetensors'), 1, '@none.safetensors', 'there is no such file'],
  ['truncated inputs', forward('detector', 'cut.safetensors'), 1, '@cut.safetensors', 'truncated'],
  [
    'wrong shapes',
    forward('detector', 'shapes.safetensors'),
    2,
    '@shapes.safetensors',
    'pixel_values: expected shape [B, 3, H, W], got [2, 3, 4]',
  ],
  [
    'missing inputs',
    forward('detector', 'missing.safetensors'),
    2,
    '@missing.safetensors',
    'pixel_value is not an input of this model, did you mean pixel_values?',
  ],
  ['unknown token ids', forward('detector', 'ids.safetensors'), 2, '@ids.safetensors', 'from 0 to 1039, got 99999'],
  [
    'boxes and images of a wrong shape',
    forward('masker', 'boxes.safetensors'),
    2,
    '@boxes.safetensors',
    'input_boxes: expected shape [B, N, 4], got [2, 3, 5]',
  ],
  ['labels without points', forward('masker', 'labels.safetensors'), 2, '@labels.safetensors', 'input_labels needs input_points'],
  ['an unknown flag', forward('masker', 'flag.safetensors'), 2, '@flag.safetensors', 'expected true or false, got maybe'],
  [
    'an adapter for a masker',
    forward('masker', 'masker.safetensors', '--adapter', '@x'),
    2,
    '--adapter',
    'adapters are for grounding-dino',
  ],
  [
    'a missing adapter',
    forward('detector', 'detector.safetensors', '--adapter', '@x'),
    1,
    '@x/adapter_config.json',
    'there is no such file',
  ],
  [
    'outputs below a file',
    ['forward', '--model', '@detector', '--inputs', '@detector.safetensors', '--outputs', '@file/out.safetensors'],
    1,
    '@file/out.safetensors',
    'is a file, not a folder',
  ],
  ['a missing run', ['train', '--config', '@none.yaml'], 1, '@none.yaml', 'there is no such file'],
  ['an unknown key', ['train', '--config', '@typo.yaml'], 1, '@typo.yaml:3:9', 'train.epochz: unknown key, did you mean epochs?'],
  [
    'an unknown key in an override',
    ['train', '--config', '@stu.yaml', '--set', 'train.epoch=3'],
    1,
    '--set train.epoch=3',
    'did you mean epochs?',
  ],
  [
    'a malformed override',
    ['train', '--config', '@stu.yaml', '--set', 'train.epochs'],
    1,
    '--set train.epochs',
    'expected key.path=value',
  ],
  ['a missing dataset', ['train', '--config', '@stu.yaml'], 1, '@nowhere', 'there is no such folder'],
  ['a missing image', infer('--image', '@none.png', '--prompt', 'cyst.'), 1, '@none.png', 'there is no such file'],
  ['a file that is not an image', infer('--image', '@bad.png', '--prompt', 'cyst.'), 1, '@bad.png', 'cannot be read as an image'],
  ['a folder without images', infer('--image', '@empty', '--prompt', 'cyst.'), 2, '@empty', 'there is no image here'],
  [
    'a non-numeric adapter scale',
    infer('--image', '@bad.png', '--prompt', 'cyst.', '--adapter-scale', 'much'),
    2,
    '--adapter-scale',
    'it is not a number',
  ],
  [
    'a set of adapters that does not exist',
    ['train', '--config', '@stu.yaml', '--set', 'data.format=phantom', 'lora={preset: papper}'],
    1,
    'lora.preset',
    '"paper"|"paper-code"',
  ],
  ['a missing model to serve', ['serve', '--model', '@none', '--port', '0'], 1, '@none', 'there is no such folder'],
  ['an invalid port', ['serve', '--port', '99999'], 2, '--port', 'from 0 to 65535, got 99999'],
  ['a token that can be guessed', ['serve', '--token', 'secret'], 2, '--token', 'at least 16 are needed'],
  ['a negative queue', ['serve', '--queue', '-1'], 2, '--queue', 'an integer of at least 0'],
  ['a non-numeric limit', ['serve', '--max-upload', 'much'], 2, '--max-upload', 'a number above 0, got NaN'],
  ['a shard index out of range', infer('--image', '@bad.png', '--prompt', 'x', '--shard', '2/2'), 2, '--shard', 'no part 2 of 2'],
  ['a folder without shards', ['merge', '--from', '@empty', '--to', '@out'], 1, '@empty/settings.json', 'there is no such file'],
  [
    'a selection that used to be ambiguous',
    infer('--image', '@bad.png', '--prompt', 'x', '--select', 'best'),
    2,
    '--select best',
    'best-per-phrase',
  ],
  [
    'the former name of a selection',
    infer('--image', '@bad.png', '--prompt', 'x', '--select', 'best-overall'),
    2,
    '--select',
    'best-per-image',
  ],
  ['a missing detector', infer('--image', '@bad.png', '--prompt', 'x', '--detector', '@none'), 1, '@none', 'no such folder'],
  ['the same by its other name', infer('--image', '@bad.png', '--prompt', 'x', '--model', '@none'), 1, '@none', 'no such folder'],
  [
    'a run and a detector to export',
    ['export', '--run', '@x', '--model', '@y', '--to', '@z', '--format', 'peft'],
    2,
    'export',
    'run and detector',
  ],
  ['an empty prompt', infer('--image', '@bad.png', '--prompt', ' . '), 2, '--prompt', 'it names nothing'],
];

describe('bad input', () => {
  it.each(table)('%s', async (_name, line, code, named, said) => {
    const seen = await run(line);
    expect(seen.text).toContain(named.replaceAll('@', `${dir}/`));
    expect(seen.text).toContain(said);
    expect(seen.text).not.toMatch(/^\s+at /m);
    expect(seen.code).toBe(code);
  });

  it('leaves nothing half-written', async () => {
    const names = await readdir(dir);
    expect(names.filter((name) => name === 'run' || name.includes('out.safetensors') || name.endsWith('.tmp'))).toEqual([]);
  });

  it('hides the stack of what was not expected, unless asked', async () => {
    const breaking = [{ command: 'break', handler: () => Promise.reject(new TypeError('x is not y')) }];
    let text = '';
    const spy = jest.spyOn(process.stderr, 'write').mockImplementation(((chunk: unknown) => {
      text += String(chunk);
      return true;
    }) as never);
    expect(await main(['break'], breaking as never)).toBe(1);
    expect(text).toContain('error: x is not y\n');
    expect(text).toContain('SONOGROUND_DEBUG=1');
    expect(text).not.toMatch(/^\s+at /m);
    process.env['SONOGROUND_DEBUG'] = '1';
    expect(await main(['break'], breaking as never)).toBe(1);
    delete process.env['SONOGROUND_DEBUG'];
    expect(text).toMatch(/^\s+at /m);
    spy.mockRestore();
  });

  it('is reported alike by the script that npm runs', () => {
    const script = fileURLToPath(new URL('../../scripts/run.mjs', import.meta.url));
    const line = forward('none', 'detector.safetensors').map((word) => word.replaceAll('@', `${dir}/`));
    const { status, stderr } = spawnSync(process.execPath, [script, ...line], { encoding: 'utf8' });
    expect(stderr).toContain(`error: ${join(dir, 'none')}: there is no such folder or weight file`);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(status).toBe(1);
  });
});
