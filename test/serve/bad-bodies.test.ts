import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { createServer } from '../../src/serve/index.js';
import { errorCodes } from '../../src/util/errors/codes.js';
import { HeldEngine } from '../support/server.js';

/** An engine that is asked nothing here but by those who send what can be asked. */
const engine = new HeldEngine();
engine.atOnce = true;

let server: FastifyInstance;
const lines: string[] = [];
beforeAll(async () => {
  const note = (message: string) => void lines.push(message);
  server = await createServer({ engine, limits: { uploadBytes: 10_000_000 }, logger: { info: note, warn: note } });
});
afterAll(() => server.close());
beforeEach(() => {
  lines.length = 0;
});

const EDGE = 'edge';
const MULTIPART = `multipart/form-data; boundary=${EDGE}`;
const part = (disposition: string, content: string, more = '') =>
  `--${EDGE}\r\ncontent-disposition: ${disposition}\r\n${more}\r\n${content}\r\n`;
const END = `--${EDGE}--\r\n`;
const IMAGE = part('form-data; name="image"; filename="a.png"', 'xyz');
const many = (count: number, each: (i: number) => string) => Array.from({ length: count }, (_, i) => each(i)).join('');

/** A form, the status, and what the answer has to say. */
const forms: readonly [name: string, body: string | Buffer, status: number, said: RegExp][] = [
  ['a part without a name', part('form-data', '0.3') + END, 400, /form: a part has no name/],
  ['a file without a name', part('form-data; filename="a.png"', 'xyz') + END, 400, /form: a part has no name/],
  ['an empty name', part('form-data; name=""', '0.3') + END, 400, /form: a part has no name/],
  ['a truncated name', part('form-data; name="thre', '0.3') + END, 400, /thre/],
  ['a part that is not form data', part('attachment; name="image"; filename="a"', 'xyz') + END, 400, /prompt: there is none/],
  ['a part without a disposition', `--${EDGE}\r\nx-a: 1\r\n\r\n1\r\n${END}`, 400, /prompt: there is none/],
  ['no part at all', END, 400, /prompt: there is none/],
  ['nothing', '', 400, /prompt: there is none/],
  ['no end', IMAGE, 400, /form: it is cut off/],
  ['half a part', IMAGE.slice(0, 60), 400, /form: it is cut off/],
  ['another boundary', IMAGE.replaceAll(EDGE, 'other') + END, 400, /./],
  ['a body that is not a form', 'image=1&prompt=cyst', 400, /form: it is cut off or not a form/],
  ['two files', IMAGE + IMAGE + END, 400, /form: there is more than one file/],
  ['three files', IMAGE + IMAGE + IMAGE + END, 400, /form: /],
  ['a file of another name', part('form-data; name="picture"; filename="a"', 'x') + END, 400, /not called image/],
  ['the image as text', part('form-data; name="image"', 'xyz') + END, 400, /image: it came as text/],
  [
    'an empty file',
    part('form-data; name="image"; filename="a.png"', '') + part('form-data; name="prompt"', 'cyst') + END,
    400,
    /the file is empty/,
  ],
  ['a file for a field', part('form-data; name="prompt"; filename="a"', 'cyst') + IMAGE + END, 400, /not called image/],
  [
    'a form within a form',
    part('form-data; name="files"', `--b\r\n\r\n\r\n--b--`, 'content-type: multipart/mixed; boundary=b\r\n') + END,
    400,
    /files: it is not JSON/,
  ],
  ['a field of half a megabyte', part('form-data; name="prompt"', 'a'.repeat(500_000)) + END, 400, /prompt: it is too long/],
  ['100,000 fields', many(100_000, (i) => part(`form-data; name="f${i}"`, '1')) + END, 413, /too many/],
  ['100,000 empty parts', many(100_000, () => part('form-data; name="prompt"', '')) + END, 413, /too many/],
  [
    '100,000 lines before a part',
    part(
      'form-data; name="image"; filename="a"',
      'x',
      many(100_000, (i) => `x-${i}: 1\r\n`),
    ) + END,
    400,
    /./,
  ],
  ['a line of a megabyte', part(`form-data; name="${'a'.repeat(1e6)}"`, '1') + END, 400, /./],
  ['a part of a megabyte that has no name', `--${EDGE}\r\nx: ${'a'.repeat(1e6)}\r\n\r\n1\r\n${END}`, 400, /./],
  ['a threshold of letters', IMAGE + part('form-data; name="threshold"', 'NaN') + END, 400, /threshold: it is not JSON/],
  ['a threshold that is null', IMAGE + part('form-data; name="threshold"', 'null') + END, 400, /threshold: /],
  ['a threshold without an end', IMAGE + part('form-data; name="threshold"', '1e999') + END, 400, /threshold: /],
  ['an object instead of boxes', IMAGE + part('form-data; name="boxes"', '{"length": 9}') + END, 400, /boxes: /],
  [
    'boxes of a million brackets',
    IMAGE + part('form-data; name="boxes"', '['.repeat(60_000)) + END,
    400,
    /boxes: it is not JSON/,
  ],
  ['balanced brackets', IMAGE + part('form-data; name="boxes"', '['.repeat(30_000) + ']'.repeat(30_000)) + END, 400, /boxes/],
  ['a field called __proto__', part('form-data; name="__proto__"', '{"a":1}') + END, 400, /a name that none may have/],
  ['a field called constructor', part('form-data; name="constructor"', '1') + END, 400, /a name that none may have/],
  ['a file called __proto__', part('form-data; name="__proto__"; filename="a"', '1') + END, 400, /form/],
  [
    'a nested prototype field',
    part('form-data; name="boxes"', '[{"__proto__": {"x": 1}, "bbox": [0,0,1,1]}]') + IMAGE + END,
    400,
    /boxes/,
  ],
  [
    'invalid JSON declared as JSON',
    part('form-data; name="boxes"', '[', 'content-type: application/json\r\n') + END,
    400,
    /not the JSON/,
  ],
  [
    'JSON that targets the prototype',
    part('form-data; name="boxes"', '{"__proto__":1}', 'content-type: application/json\r\n') + END,
    400,
    /not the JSON/,
  ],
  ['an unknown field with terminal control characters', part('form-data; name="\u001b[31m"', '1') + IMAGE + END, 400, /body: /],
  [
    'bytes that are not UTF-8',
    Buffer.concat([Buffer.from(IMAGE), Buffer.from(part('form-data; name="prompt"', 'A')).fill(0xff, 55, 57), Buffer.from(END)]),
    400,
    /./,
  ],
];

const json = (value: unknown) => JSON.stringify(value);
const GOOD = 'AAAA';

/** Bodies that are JSON or want to be; sent to /v1/segment unless they have `prompts`. */
const jsons: readonly [name: string, body: string, status: number, said: RegExp][] = [
  ['nothing', '', 400, /body: it is empty/],
  ['blanks', '   ', 400, /body: it is not JSON/],
  ['half of it', '{"image": "', 400, /body: it is not JSON/],
  ['NaN', '{"threshold": NaN}', 400, /body: it is not JSON/],
  ['null', 'null', 400, /body: /],
  ['a list', '[]', 400, /body: /],
  ['a number', '1', 400, /body: /],
  ['text', '"image"', 400, /body: /],
  ['a prototype', `{"image": "${GOOD}", "prompt": "a", "__proto__": {"x": 1}}`, 400, /body: /],
  ['a constructor', `{"image": "${GOOD}", "prompt": "a", "constructor": {"prototype": {"x": 1}}}`, 400, /body: /],
  ['a prototype with escapes', `{"image": "${GOOD}", "prompt": "a", "\\u005f_proto__": {"x": 1}}`, 400, /body: /],
  ['a prototype further down', `{"image": "${GOOD}", "boxes": [{"bbox": [0,0,1,1], "__proto__": {}}]}`, 400, /body: /],
  ['a million brackets', `{"prompt": ${'['.repeat(1e6)}`, 400, /body: it is not JSON/],
  ['a million balanced brackets', `{"prompt": ${'['.repeat(5e5)}${']'.repeat(5e5)}}`, 400, /prompt/],
  ['a million nested objects', `{"prompt": ${'{"a":'.repeat(2e5)}1${'}'.repeat(2e5)}}`, 400, /prompt/],
  ['a prompt of a million letters', json({ image: GOOD, prompt: 'a'.repeat(1e6) }), 400, /prompt/],
  ['a million prompts', json({ image: GOOD, prompt: Array(5e5).fill('a') }), 400, /prompt/],
  ['a key of a million letters', json({ image: GOOD, ['k'.repeat(1e6)]: 1 }), 400, /body: .{1,250}$/],
  [
    'a hundred thousand keys',
    json(Object.fromEntries(Array.from({ length: 1e5 }, (_, i) => [`k${i}`, 1]))),
    400,
    /body: .{1,250}$/,
  ],
  ['a number that is too large', '{"image": "AAAA", "prompt": "a", "threshold": 1e999}', 400, /threshold/],
  ['a negative threshold', json({ image: GOOD, prompt: 'a', threshold: -0.1 }), 400, /threshold/],
  ['a list as threshold', json({ image: GOOD, prompt: 'a', threshold: [0.3] }), 400, /threshold/],
  ['a fractional max', json({ image: GOOD, prompt: 'a', max: 1.5 }), 400, /max/],
  ['a number as image', json({ image: 7, prompt: 'a' }), 400, /image/],
  ['an object as image', json({ image: { type: 'Buffer', data: [1] }, prompt: 'a' }), 400, /image/],
  ['base64 with a line break', json({ image: 'AA\nAA', prompt: 'a' }), 400, /image/],
  ['truncated base64', json({ image: 'AAAAA', prompt: 'a' }), 400, /image/],
  ['base64 that ends too early', json({ image: 'AA==AAAA', prompt: 'a' }), 400, /image/],
  ['base64 as a data URL', json({ image: 'data:image/png;base64,AAAA', prompt: 'a' }), 400, /image/],
  ['three million letters that are not base64', json({ image: `${'A'.repeat(3e6)}*`, prompt: 'a' }), 400, /image/],
  ['an id of another length', json({ image_id: 'a', prompt: 'a' }), 400, /image_id/],
  ['a box of three numbers', json({ image: GOOD, boxes: [{ bbox: [0, 0, 1] }] }), 400, /boxes/],
  ['a box of nulls', json({ image: GOOD, boxes: [{ bbox: [null, null, null, null] }] }), 400, /boxes/],
  ['a box of negative width', json({ image: GOOD, boxes: [{ bbox: [0, 0, -1, 1] }] }), 400, /boxes/],
  ['too many boxes', json({ image: GOOD, boxes: Array(1000).fill({ bbox: [0, 0, 1, 1] }) }), 400, /boxes/],
  ['points of three', json({ image: GOOD, prompts: [{ points: [[1, 2, 3]] }] }), 400, /prompts/],
  ['textual labels', json({ image: GOOD, prompts: [{ points: [[1, 2]], labels: ['1'] }] }), 400, /prompts/],
  ['terminal control characters', json({ image: GOOD, prompt: 'a', '\u001b]0;x\u0007': 1 }), 400, /body: /],
];

/** What every refusal keeps to. */
function checkAnswer(
  { statusCode, body, headers }: { statusCode: number; body: string; headers: Record<string, unknown> },
  status: number,
  said: RegExp,
): void {
  const answer = JSON.parse(body);
  expect([statusCode, answer.status]).toEqual([status, status]);
  expect(`${answer.where}: ${answer.what}`).toMatch(said);
  expect(headers['content-type']).toBe('application/json; charset=utf-8');
  expect(Object.keys(answer).every((key) => ['status', 'code', 'where', 'what', 'fix'].includes(key))).toBe(true);
  expect(Object.keys(errorCodes)).toContain(answer.code);
  expect(body.length).toBeLessThan(1000);
  // No stack trace, no place of code, nothing that a terminal obeys.
  expect(body).not.toMatch(/\n\s+at |node_modules|\/src\/|\.[jt]s:|\\u001b|\\u0007/);
  expect(lines.filter((line) => line.startsWith('not expected'))).toEqual([]);
}

describe('forms that are not as they should be', () => {
  it.each(forms)('%s', async (_name, payload, status, said) => {
    checkAnswer(
      await server.inject({ method: 'POST', url: '/v1/segment', payload, headers: { 'content-type': MULTIPART } }),
      status,
      said,
    );
  });

  it.each([
    ['no boundary', 'multipart/form-data'],
    ['an empty boundary', 'multipart/form-data; boundary='],
    ['a boundary of ten thousand letters', `multipart/form-data; boundary=${'a'.repeat(10_000)}`],
    ['a truncated quoted boundary', 'multipart/form-data; boundary="edge'],
  ])('%s', async (_name, type) => {
    checkAnswer(
      await server.inject({ method: 'POST', url: '/v1/segment', payload: IMAGE + END, headers: { 'content-type': type } }),
      400,
      /./,
    );
  });

  it('a part may say that it is JSON', async () => {
    const payload =
      IMAGE + part('form-data; name="prompts"', '[{"points": [[1, 2]]}]', 'content-type: application/json\r\n') + END;
    const before = engine.started;
    await server.inject({ method: 'POST', url: '/v1/masks', payload, headers: { 'content-type': MULTIPART } });
    expect(engine.started).toBe(before + 1);
  });
});

describe('JSON that is not as it should be', () => {
  it.each(jsons)('%s', async (_name, payload, status, said) => {
    const url = payload.includes('"prompts"') ? '/v1/masks' : '/v1/segment';
    checkAnswer(
      await server.inject({ method: 'POST', url, payload, headers: { 'content-type': 'application/json' } }),
      status,
      said,
    );
  });

  it.each([
    ['text', 'text/plain', 415],
    ['a form of another kind', 'application/x-www-form-urlencoded', 415],
    ['mixed parts', 'multipart/mixed; boundary=edge', 415],
    ['XML', 'application/xml', 415],
    ['no content type', '', 415],
    ['a malformed content type', 'json', 415],
    ['a non-ASCII content type', 'application/json; charset=utf-16', 400],
  ])('%s', async (_name, type, status) => {
    const headers = type === '' ? {} : { 'content-type': type };
    checkAnswer(await server.inject({ method: 'POST', url: '/v1/segment', payload: '{"image": 1}', headers }), status, /./);
  });

  it('a packed body', async () => {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    checkAnswer(await server.inject({ method: 'POST', url: '/v1/segment', payload: '{}', headers }), 415, /content-encoding/);
  });

  it('a body where none is taken', async () => {
    const headers = { 'content-type': 'application/json' };
    checkAnswer(await server.inject({ method: 'GET', url: '/v1/health', payload: '{}', headers }), 400, /body: GET takes none/);
  });
});

it('none of it changed what all objects have', () => {
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as Record<string, unknown>)['x']).toBeUndefined();
});
