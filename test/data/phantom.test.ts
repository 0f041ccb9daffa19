import { describe, expect, it } from '@jest/globals';
import { generatePhantom, PhantomDataset, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { boxOfMask, maskArea } from '../../src/imaging/index.js';

const domain = (name: string): PhantomDomain => {
  const found = phantomDomains[name];
  if (found === undefined) throw new Error(name);
  return found;
};

const many = (name: string, count: number) =>
  Array.from({ length: count }, (_, i) => generatePhantom(i, { width: 72, height: 60, domain: domain(name) }));

describe.each(['standard', 'shifted'])('phantoms of the %s domain', (name) => {
  const samples = many(name, 12);

  it('are the same for the same seed and others for another', () => {
    const [first, second] = samples;
    expect(generatePhantom(0, { width: 72, height: 60, domain: domain(name) })).toEqual(first);
    expect(second?.image.data).not.toEqual(first?.image.data);
  });

  it('have masks whose boxes are tight, and no two of which overlap', () => {
    for (const { objects } of samples) {
      const taken = new Uint8Array(72 * 60);
      for (const { mask, boxXyxyPx } of objects) {
        expect(boxOfMask(mask)).toEqual(boxXyxyPx);
        expect(maskArea(mask)).toBeGreaterThanOrEqual(30);
        const clash = mask.data.some((value, i) => value === 1 && taken[i] === 1);
        expect(clash).toBe(false);
        for (const [i, value] of mask.data.entries()) if (value === 1) taken[i] = 1;
      }
    }
  });

  it('ask for every object that they show, and now and then for something that is absent', () => {
    let absent = 0;
    for (const { objects, phrases } of samples) {
      expect(phrases.length).toBeGreaterThan(0);
      expect(new Set(phrases).size).toBe(phrases.length);
      for (const { phrase } of objects) expect(phrases).toContain(phrase);
      absent += phrases.filter((phrase) => objects.every((object) => object.phrase !== phrase)).length;
    }
    expect(absent).toBeGreaterThan(0);
  });

  it('look different inside a structure and around it', () => {
    const contrasts = samples.flatMap(({ image, objects }) =>
      objects.map(({ mask }) => {
        const mean = (inside: number) => {
          const values = [...mask.data].flatMap((value, i) => (value === inside ? [image.data[3 * i] as number] : []));
          return values.reduce((a, b) => a + b, 0) / values.length;
        };
        return Math.abs(mean(1) - mean(0));
      }),
    );
    expect(contrasts.filter((contrast) => contrast > 8).length).toBeGreaterThan(contrasts.length / 2);
  });
});

describe('PhantomDataset', () => {
  it('shows structures in the shifted domain that the standard one does not have', () => {
    const names = (name: string) => Object.keys(domain(name).structures);
    expect(names('shifted').filter((structure) => !names('standard').includes(structure))).toEqual(['lymph node']);
  });

  it('keeps to the phrases that it is given', async () => {
    const dataset = new PhantomDataset({
      size: 30,
      seed: 3,
      width: 64,
      height: 64,
      domain: domain('standard'),
      phrases: ['cyst'],
    });
    for (let i = 0; i < dataset.size; i++) {
      const { objects, phrases } = await dataset.load(i);
      expect(phrases).toEqual(['cyst']);
      for (const { phrase } of objects) expect(phrase).toBe('cyst');
    }
  });
});
