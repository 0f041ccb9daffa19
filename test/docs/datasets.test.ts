import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { importers } from '../../src/data/import/registry.js';
import { findImporter, loadPrompts } from '../../src/data/index.js';
import { miniatures } from '../data/import/miniatures/index.js';

/** Importers of published datasets; the others read general layouts. */
const published = importers.filter(({ organ }) => organ !== 'any').map(({ name }) => name);

describe('the lists of published datasets', () => {
  it('have a miniature of each', () => {
    expect(published.length).toBeGreaterThan(20);
    expect(miniatures.map(({ dataset }) => findImporter(dataset).name).sort()).toEqual([...published].sort());
  });

  it.each(published)('have phrases and templates for %s', async (name) => {
    const prompts = await loadPrompts(name);
    expect(Object.keys(prompts?.classes ?? {})).not.toEqual([]);
    expect(prompts?.templates).toContain('{}');
  });

  it('name every importer in docs/data.md', () => {
    const [, table = ''] = /\| use .*\n\|[- |]+\n((?:\|.*\n)+)/.exec(readFileSync('docs/data.md', 'utf8')) ?? [];
    const named = table.split('\n').flatMap((row) => (row.split('|')[2] ?? '').split(',').map((name) => name.trim()));
    expect(named.filter((name) => name !== '').sort()).toEqual(importers.map(({ name }) => name).sort());
  });

  it('are counted in README.md', () => {
    expect(readFileSync('README.md', 'utf8')).toMatch(new RegExp(`\\b${published.length} published\\s+datasets`));
  });
});
