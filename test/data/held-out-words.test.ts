import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadPrompts } from '../../src/data/index.js';
import { structureKinds } from '../../src/data/phantom/index.js';

/** Words that no training says, so that it can be measured what the model makes of words it has not learnt. */
const HELD_OUT = /\b(lumps?|growths?|neoplasms?|space[- ]occupying|neck arter(y|ies)|skull of the fetus)\b/i;

describe('held-out words', () => {
  it('are in nothing that training says: no word list, no configuration, no name of a phantom', async () => {
    const configs = (await readdir('configs')).filter((name) => name.endsWith('.yaml'));
    const lists = (await readdir('configs/prompts')).map((name) => basename(name, '.yaml'));
    expect(configs.length).toBeGreaterThan(5);
    expect(lists.length).toBeGreaterThan(20);
    const said = await Promise.all(configs.map((name) => readFile(join('configs', name), 'utf8')));
    for (const list of lists) {
      const { classes, templates } = (await loadPrompts(list)) as NonNullable<Awaited<ReturnType<typeof loadPrompts>>>;
      // Sentences of the prompt study are never trained on.
      for (const { strict, paper, synonyms } of Object.values(classes)) said.push(strict, paper, ...synonyms);
      said.push(...templates);
    }
    for (const { name, hypernyms } of Object.values(structureKinds)) said.push(name, ...hypernyms);
    expect(said.length).toBeGreaterThan(200);
    expect(said.flatMap((text) => text.match(HELD_OUT)?.[0] ?? [])).toEqual([]);
  });

  it('would be noticed', () => {
    for (const phrase of [
      'lump',
      'a growth',
      'Neoplasm',
      'space-occupying mass in the breast',
      'neck artery',
      'skull of the fetus',
    ])
      expect(phrase).toMatch(HELD_OUT);
  });
});
