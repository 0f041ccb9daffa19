import { describe, expect } from '@jest/globals';
import fc from 'fast-check';
import { ConfigDocument } from '../../src/config/index.js';
import { ConfigError } from '../../src/util/index.js';
import { expectError } from '../support/expect-error.js';
import { property } from '../support/properties.js';

const YAML = 'name: a\ntrain: {epochs: 6, sizes: [{width: 3}]}\n';

/** The values after overrides. */
function overridden(...overrides: readonly string[]): Record<string, unknown> {
  const document = ConfigDocument.parse(YAML, 'run.yaml');
  for (const override of overrides) document.override(override);
  return document.toJs() as Record<string, unknown>;
}

const at = (values: unknown, path: readonly string[]): unknown =>
  path.reduce((inner, step) => (inner as Record<string, unknown>)[step], values);

const key = fc.stringMatching(/^[A-Za-z_][\w-]{0,7}$/).filter((word) => word !== '__proto__');
const path = fc.array(key, { minLength: 1, maxLength: 4 });
const json = fc.jsonValue({ maxDepth: 3, stringUnit: 'grapheme' });

describe('an override of any key by any value', () => {
  property(
    'that is JSON in brackets or quotes gives that value, and leaves all else alone',
    fc.tuple(path, json),
    ([steps, value]) => {
      const wrapped = [value];
      const values = overridden(`new.${steps.join('.')}=${JSON.stringify(wrapped)}`);
      expect(at(values, ['new', ...steps])).toEqual(JSON.parse(JSON.stringify(wrapped)));
      expect({ name: values['name'], train: values['train'] }).toEqual(overridden());
    },
  );

  property(
    'that is a number gives the number',
    fc.tuple(path, fc.double({ noNaN: true, noDefaultInfinity: true })),
    ([steps, value]) => {
      expect(at(overridden(`${steps.join('.')}=${value}`), steps)).toBe(value === 0 ? Number(`${value}`) : value);
    },
  );

  property(
    'that is a text without brackets or quotes in front gives the whole text, a number or a word of YAML',
    fc.string({ maxLength: 12, unit: fc.constantFrom(...'ab01 #:-*&!|>%@`,?=.~eExX_+') }),
    (text) => {
      const value = at(overridden(`x=${text}`), ['x']);
      if (typeof value === 'string') expect(value).toBe(text.trim());
      else if (typeof value === 'number') expect(text.trim()).toMatch(/^[-+]?(0x|0o)?[\d._a-fxeE+-]+$/i);
      else expect([value, ['', '~', 'null'].includes(text.trim())]).toEqual([null, true]);
    },
    500,
  );

  property('comes after those before it', fc.tuple(path, fc.integer(), fc.integer()), ([steps, first, second]) => {
    const name = steps.join('.');
    expect(at(overridden(`${name}=${first}`, `${name}=${second}`), steps)).toBe(second);
  });

  property('is blamed by its own words for what it has set', fc.tuple(path, fc.integer()), ([steps, value]) => {
    const document = ConfigDocument.parse(YAML, 'run.yaml');
    const override = `new.${steps.join('.')}=${value}`;
    document.override(override);
    expect(document.placeOf(['new', ...steps])).toBe(`--set ${override}`);
    expect(document.placeOf(['train', 'epochs'])).toBe('run.yaml:2:9');
  });

  property(
    'without a key and a value is refused',
    fc.string({ maxLength: 12 }).filter((text) => !/^[\w-]+(\.[\w-]+)*=/.test(text)),
    (text) => {
      expectError(() => overridden(text), { code: 'E_CONFIG_SYNTAX', class: ConfigError, what: 'expected key.path=value' });
    },
  );

  property(
    'gives a value or a named problem',
    fc.string({ maxLength: 14, unit: fc.constantFrom(...'[]{}"\',: a1#&*!\n') }),
    (text) => {
      try {
        overridden(`x=${text}`);
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigError);
      }
    },
    500,
  );
});
