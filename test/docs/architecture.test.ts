import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

interface Rule {
  readonly name: string;
  readonly from: { readonly path?: string };
  readonly to: { readonly path?: string };
}

const text = readFileSync('docs/architecture.md', 'utf8');
const { forbidden } = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as { forbidden: readonly Rule[] };

/** The layers as the document lists them, lowest first. */
const [, listed = ''] = /\| layer [\s\S]*?\n((?:\|.*\n)+)/.exec(text) ?? [];
const layers = [...listed.matchAll(/^\| `([a-z]+)`/gm)].map(([, name = '']) => name).reverse();

const refused = (from: string, to: string) =>
  forbidden.some(
    ({ name, from: source, to: target }) =>
      name.endsWith('-points-down') && new RegExp(source.path ?? '$^').test(from) && new RegExp(target.path ?? '$^').test(to),
  );

describe('docs/architecture.md', () => {
  it('lists the folders of src', () => {
    const folders = readdirSync('src', { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
    expect([...layers].sort()).toEqual(folders.sort());
  });

  it('agrees with the import rules: each layer may import those below, and no other', () => {
    expect(layers.length).toBeGreaterThan(20);
    for (const [i, upper] of layers.entries())
      for (const lower of layers.slice(0, i)) {
        expect([upper, lower, refused(`src/${upper}/a.ts`, `src/${lower}/index.ts`)]).toEqual([upper, lower, false]);
        expect([lower, upper, refused(`src/${lower}/a.ts`, `src/${upper}/index.ts`)]).toEqual([lower, upper, true]);
      }
  });

  it('names files and folders that there are', () => {
    const paths = [...text.matchAll(/\b(?:src|native|scripts|configs|weights|tools|bench|test)\/[\w./-]*\w/g)].map(
      ([path]) => path,
    );
    const bare = [...text.matchAll(/`((?:train|data|serve|web)\/[\w./-]+)`/g)].map(([, path = '']) => join('src', path));
    expect(paths.length).toBeGreaterThan(20);
    const globs = /native\/gemm$/; // native/gemm*.inc
    expect([...paths.filter((path) => !globs.test(path)), ...bare].filter((path) => !existsSync(path))).toEqual([]);
  });

  it('names functions and classes that there are', () => {
    const sources = readdirSync('src', { recursive: true })
      .map((name) => join('src', String(name)))
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(name, 'utf8'))
      .join('\n');
    const diagrams = [...text.matchAll(/```\n([\s\S]*?)```/g)].map(([, diagram = '']) => diagram).join('\n');
    const names = [...diagrams.matchAll(/^ *([A-Za-z]+)(?:\.([a-z][A-Za-z]+))?/gm)].flatMap(([, owner = '', method]) => [owner, ...(method ? [method] : [])]); // biome-ignore format: one line
    const ours = names.filter((name) => !['tf', 'matMul', 'GEMM', 'feature'].includes(name));
    expect(ours.length).toBeGreaterThan(20);
    expect(ours.filter((name) => !new RegExp(`\\b${name}\\b`).test(sources))).toEqual([]);
  });
});
