import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { PhantomDataset, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { encodePng, writeWebp } from '../../src/imaging/index.js';
import { fixturePath } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';

// Compiles the whole of the sources, and starts a process for each example.

interface Example {
  readonly where: string;
  readonly code: string;
}

/** What follows `@example` in the comments of the sources, up to the next tag. */
function examplesOf(file: string): Example[] {
  const comments = readFileSync(file, 'utf8').match(/\/\*\*[\s\S]*?\*\//g) ?? [];
  return comments.flatMap((comment) => {
    const lines = comment.split('\n').map((line) => line.replace(/^\s*\*( |\/|$)/, ''));
    return lines.flatMap((line, i) => {
      if (!line.startsWith('@example')) return [];
      const end = lines.findIndex((other, k) => k > i && (/^@\w/.test(other) || k === lines.length - 1));
      return [{ where: file, code: lines.slice(i + 1, end).join('\n') }];
    });
  });
}

const files = readdirSync('src', { recursive: true }).map((name) => join('src', String(name)));
const examples = files.filter((file) => file.endsWith('.ts')).flatMap(examplesOf);
/** The rest is of rooms that the package does not give out. */
const runnable = examples.filter(({ code }) => /from 'sonoground(\/\w+)?'/.test(code));

const dir = temporaryFolder('examples');
beforeAll(async () => {
  mkdirSync(join(dir, 'node_modules'));
  symlinkSync(resolve('.'), join(dir, 'node_modules', 'sonoground'));
  writeFileSync(join(dir, 'package.json'), JSON.stringify({ type: 'module' }));
  const domain = phantomDomains['standard'] as PhantomDomain;
  const phantoms = new PhantomDataset({ size: 1, seed: 3, width: 128, height: 128, domain });
  writeFileSync(join(dir, 'scan.png'), await encodePng((await phantoms.load(0)).image));
  const frames = new PhantomDataset({ size: 3, seed: 4, width: 128, height: 96, domain });
  for (let i = 0; i < frames.size; i++) writeFileSync(join(dir, `frame-${i}.png`), await encodePng((await frames.load(i)).image));
  await writeWebp(
    join(dir, 'loop.webp'),
    [0, 1, 2].map((i) => join(dir, `frame-${i}.png`)),
    0.05,
  );
  // Stand for published weights.
  symlinkSync(fixturePath('sam-windows'), join(dir, 'medsam'));
  symlinkSync(fixturePath('sam2-video'), join(dir, 'sam2.1-hiera-tiny'));
  for (const [k, { code }] of runnable.entries()) writeFileSync(join(dir, `example-${k}.ts`), `${code}\n`);
});

const run = (args: readonly string[], cwd: string) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8', env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' } }); // biome-ignore format: short
  return { status, text: `${stdout}${stderr}` };
};

describe('the API reference', () => {
  it('is complete: whatever is public has a comment, and its types and links are there', () => {
    const { status, text } = run([join('node_modules', 'typedoc', 'bin', 'typedoc'), '--emit', 'none'], resolve('.'));
    expect([text, status]).toEqual([expect.not.stringMatching(/warning|error/i), 0]);
  });
});

describe('the examples of the API reference', () => {
  it('are of what the package gives out, that of the segmenter among them', () => {
    const others = examples.filter((example) => !runnable.includes(example)).map(({ where }) => where);
    expect(others.filter((where) => !where.startsWith(join('src', 'serve')))).toEqual([]);
    expect(runnable.some(({ code }) => code.includes('Sonoground.fromPretrained()') && code.includes('.segment('))).toBe(true);
    expect(runnable.length).toBeGreaterThan(5);
  });

  it('have the right types', () => {
    const compilerOptions = {
      module: 'NodeNext',
      target: 'ES2023',
      lib: ['ES2023', 'DOM'],
      types: [],
      strict: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: true,
      outDir: 'built',
    };
    writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
    const { status, text } = run([resolve('node_modules', '@typescript', 'native', 'bin', 'tsc'), '-p', dir], resolve('.'));
    expect([text, status]).toEqual(['', 0]);
  });

  it.each(runnable.map(({ where }, k) => [where, k] as const))('run: %s', (_, k) => {
    const { status, text } = run(['--no-warnings', join('built', `example-${k}.js`)], dir);
    expect(status === 0 ? '' : text).toBe('');
  });
});
