import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';

interface Entry {
  readonly import: string;
  readonly types: string;
}

const { exports: entries } = JSON.parse(readFileSync('package.json', 'utf8')) as { exports: Record<string, Entry> };

/** What an entry gives out, and whether loading it loaded TensorFlow.js, which leaves its engine in the global object. */
function load(entry: Entry): { readonly names: string[]; readonly tensors: boolean } {
  const program = `const entry = await import(${JSON.stringify(pathToFileURL(entry.import).href)});
    console.log(JSON.stringify({ names: Object.keys(entry), tensors: globalThis._tfengine !== undefined }));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

describe('the entries of the package', () => {
  const loaded = new Map<string, ReturnType<typeof load>>();
  beforeAll(() => {
    for (const [name, entry] of Object.entries(entries)) loaded.set(name, load(entry));
  });
  const of = (name: string) => loaded.get(name) as ReturnType<typeof load>;

  it('are these', () => {
    expect(Object.keys(entries).sort()).toEqual(['.', './data', './dicom', './eval', './imaging', './models', './train']);
  });

  it('the main one is small, and has the classes that programs were promised', () => {
    const { names } = of('.');
    expect(names).toEqual(
      expect.arrayContaining(['Sonoground', 'GroundedSegmenter', 'GroundingDino', 'Sam2', 'SonogroundError']),
    );
    expect(names.length).toBeLessThanOrEqual(25);
  });

  it.each(['./imaging', './data'])('%s loads no TensorFlow.js', (name) => {
    expect(of(name).names.length).toBeGreaterThan(5);
    expect(of(name).tensors).toBe(false);
    expect(of('./models').tensors).toBe(true);
  });

  it('no name means two things', () => {
    const origin = new Map<string, string>();
    // What the main entry gives out once more is the same there.
    const repeated = new Set(of('.').names);
    const twice = [...loaded].flatMap(([entry, { names }]) =>
      names.filter((name) => {
        const first = origin.get(name);
        origin.set(name, entry);
        return first !== undefined && !repeated.has(name);
      }),
    );
    expect(twice).toEqual([]);
  });
});
