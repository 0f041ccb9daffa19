import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { tf } from '../../src/backend/index.js';
import { PhantomDataset, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { decodeImage, decodeMask, decodeRle, encodePng, maskArea, maskToRle, type RasterImage } from '../../src/imaging/index.js';
import { GroundedSegmenter } from '../../src/infer/index.js';
import { nanoModels } from '../../src/pretrained/index.js';
import { createServer, LocalEngine } from '../../src/serve/index.js';
import { useBackend } from '../support/backend.js';
import { dicom } from '../support/dicom.js';
import { nifti } from '../support/nifti.js';
import { form, patientLimits } from '../support/server.js';

useBackend();

const LIMITS = { ...patientLimits, uploadBytes: 100_000, pixels: 30_000, unpackedBytes: 200_000 };

let segmenter: GroundedSegmenter;
let server: FastifyInstance;
let image: RasterImage;
let png: Buffer;
const lines: string[] = [];
beforeAll(async () => {
  segmenter = await GroundedSegmenter.load(nanoModels);
  const engine = new LocalEngine(segmenter, LIMITS, { backend: 'test', detector: 'd', masker: 'm', adapter: null });
  const note = (message: string) => void lines.push(message);
  server = await createServer({ engine, limits: LIMITS, logger: { info: note, warn: note } });
  const domain = phantomDomains['standard'] as PhantomDomain;
  ({ image } = await new PhantomDataset({ size: 1, seed: 5, width: 96, height: 80, domain }).load(0));
  png = await encodePng(image);
});
afterAll(() => server.close());

const post = (path: string, body: object) =>
  server.inject({ method: 'POST', url: path, headers: { 'content-type': 'application/json' }, payload: JSON.stringify(body) });
const base64 = () => png.toString('base64');
const PROMPT = 'cyst. kidney. mass.';

describe('POST /v1/segment', () => {
  it('finds what the library finds, from JSON and from a form', async () => {
    const expected = await segmenter.segment(image, PROMPT, { threshold: 0.05 });
    expect(expected.length).toBeGreaterThan(1);
    const json = await post('/v1/segment', { image: base64(), prompt: PROMPT, threshold: 0.05 });
    const { payload, headers } = form([
      ['image', png],
      ['prompt', PROMPT],
      ['threshold', '0.05'],
    ]);
    const sent = await server.inject({ method: 'POST', url: '/v1/segment', payload, headers });
    expect([json.statusCode, sent.statusCode]).toEqual([200, 200]);
    expect(sent.json().segments).toEqual(json.json().segments);
    expect(json.json().image).toMatchObject({ width: 96, height: 80, spacing_mm: null });
    expect(json.json().segments).toEqual(
      expected.map(({ phrase, score, boxXyxyPx: [x0, y0, x1, y1], mask, maskScore }) => ({
        phrase,
        score,
        bbox: [x0, y0, x1 - x0, y1 - y0],
        area: maskArea(mask),
        mask_score: maskScore,
        measures: null,
        unmeasured: 'the file does not say how large a pixel is',
        mask: { ...maskToRle(mask) },
      })),
    );
  });

  it('measures masks in millimetres of the size that the request gives, or of the regions of the file', async () => {
    const body = { prompt: PROMPT, threshold: 0.05, mask_format: 'none' };
    const given = await post('/v1/segment', { ...body, image: base64(), mm_per_pixel: [0.5, 0.25] });
    const { segments, image: opened } = given.json();
    expect([given.statusCode, opened.spacing_mm]).toEqual([200, [0.5, 0.25]]);
    for (const { area, measures } of segments.filter(({ measures: { parts } }: { measures: { parts: number } }) => parts === 1))
      expect(measures.area_mm2).toBeCloseTo(area * 0.125, 3);
    expect(segments[0].measures).toMatchObject({ version: 1, calibration: 'mm_per_pixel', depth: null });
    const again = await post('/v1/segment', { ...body, image_id: opened.id });
    expect(again.json().segments[0].measures).toEqual(segments[0].measures);
    for (const mm_per_pixel of [0, -1, 'wide', [1], 5000])
      expect((await post('/v1/segment', { ...body, image: base64(), mm_per_pixel })).statusCode).toBe(400);
    const twice = await post('/v1/segment', { ...body, image_id: opened.id, mm_per_pixel: 1 });
    expect([twice.statusCode, twice.json().where]).toEqual([400, 'mm_per_pixel']);
  });

  it('measures masks again by a size that is given later, and refuses those of another grid', async () => {
    const found = (await post('/v1/segment', { image: base64(), prompt: PROMPT, threshold: 0.05 })).json();
    const masks = found.segments.map(({ mask }: { mask: object }) => mask);
    const ask = async (more: object) => post('/v1/measures', { image_id: found.image.id, masks, ...more });
    const given = await post('/v1/segment', { image: base64(), prompt: PROMPT, threshold: 0.05, mm_per_pixel: [0.5, 0.25] });
    const expected = given.json().segments.map(({ measures }: { measures: object }) => ({ measures }));
    expect((await ask({ mm_per_pixel: [0.5, 0.25] })).json().measures).toEqual(expected);
    expect((await ask({})).json().measures[0]).toEqual({ measures: null, unmeasured: expect.any(String) });
    for (const [mask, status] of [
      [{ size: [4, 4], counts: '0' }, 422],
      [{ size: [80, 96], counts: 'x' }, 422],
      [{ size: [80] }, 400],
    ] as const)
      expect((await ask({ masks: [mask] })).statusCode).toBe(status);
  });

  it('gives the same above a higher threshold as is left of a lower one', async () => {
    const at = async (threshold: number) =>
      (await post('/v1/segment', { image: base64(), prompt: PROMPT, threshold })).json().segments as {
        score: number;
        mask_score: number;
      }[];
    const low = await at(0.05);
    const middle = ((low[0]?.score ?? 0) + (low[1]?.score ?? 0)) / 2;
    const high = await at(middle);
    expect(high.length).toBe(1);
    // Boxes are decoded together, and the number of rows may change the last digits.
    const left = low.filter(({ score }) => score >= middle);
    expect(high).toEqual(left.map((segment) => ({ ...segment, mask_score: expect.closeTo(segment.mask_score, 5) })));
  });

  it('gives masks as PNG, or none, and masks of boxes that were drawn', async () => {
    const body = { image: base64(), boxes: [{ bbox: [20, 20, 40, 30], phrase: 'mine' }] };
    const [rle, asPng, none] = await Promise.all(
      ['rle', 'png', 'none'].map(async (mask_format) => (await post('/v1/segment', { ...body, mask_format })).json().segments[0]),
    );
    expect(rle).toMatchObject({ phrase: 'mine', score: null, bbox: [20, 20, 40, 30] });
    expect(none).toEqual({ ...rle, mask: null });
    const mask = await decodeMask(Buffer.from(asPng.mask, 'base64'));
    expect(mask).toEqual(decodeRle(rle.mask.counts, 96, 80));
    expect(maskArea(mask)).toBe(rle.area);
  });

  it('runs several prompts separately', async () => {
    const one = async (prompt: string | string[]) =>
      (await post('/v1/segment', { image: base64(), prompt, threshold: 0.05, mask_format: 'none' })).json().segments;
    const both = [...(await one('mass')), ...(await one('cyst. kidney'))].sort((a, b) => b.score - a.score);
    expect(await one(['mass', 'cyst. kidney'])).toEqual(both);
    const { payload, headers } = form([
      ['image', png],
      ['prompt', 'mass'],
      ['prompt', 'cyst. kidney'],
      ['threshold', '0.05'],
      ['mask_format', 'none'],
    ]);
    expect((await server.inject({ method: 'POST', url: '/v1/segment', payload, headers })).json().segments).toEqual(both);
  });
});

describe('POST /v1/masks', () => {
  it('answers boxes and points on an image that was sent before', async () => {
    const opened = (await post('/v1/images', { image: base64() })).json().image;
    const prompts = [
      { bbox: [20, 20, 40, 30] },
      { points: [[40, 40]] },
      { bbox: [20, 20, 40, 30], points: [[25, 25]], labels: [0] },
    ];
    const answer = await post('/v1/masks', { image_id: opened.id, prompts });
    expect(answer.statusCode).toBe(200);
    const { answers } = answer.json();
    expect(answers.map(({ masks }: { masks: unknown[] }) => masks.length)).toEqual([1, 1, 1]);
    const drawn = (await post('/v1/segment', { image_id: opened.id, boxes: [{ bbox: [20, 20, 40, 30] }] })).json().segments[0];
    expect(answers[0].masks[0].mask).toEqual(drawn.mask);
    expect(answers[2].masks[0].mask).not.toEqual(drawn.mask);
    const several = await post('/v1/masks', { image_id: opened.id, prompts: prompts.slice(0, 1), multimask: true });
    expect(several.json().answers[0].masks.length).toBeGreaterThan(1);
  });

  it('leaves no tensor behind but the image that was looked at last', async () => {
    const ask = () => post('/v1/masks', { image: base64(), prompts: [{ points: [[40, 40]] }] });
    await ask();
    const before = tf.memory().numTensors;
    await ask();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('images', () => {
  const send = async (file: Buffer, more: object = {}) => post('/v1/images', { image: file.toString('base64'), ...more });

  it('come back as they are shown', async () => {
    const { id } = (await send(png)).json().image;
    const answer = await server.inject(`/v1/images/${id}`);
    expect(answer.headers['content-type']).toBe('image/png');
    expect((await decodeImage(answer.rawPayload)).data).toEqual(image.data);
  });

  it('are read from DICOM and NIfTI, any frame of several', async () => {
    const film = dicom({ width: 12, height: 10, frames: [0, 1, 2].map((i) => new Uint8Array(120).fill(50 * (i + 1))) });
    expect((await send(film)).json().image.frames).toEqual({ kind: 'frames', count: 3, per_frame: 3, address: '0' });
    expect((await send(film, { frame: '2' })).json().image.frames.address).toBe('2');
    const values = Array.from({ length: 6 * 5 * 4 * 2 }, (_, i) => i % 250);
    for (const gzip of [false, true]) {
      const volume = nifti({ dims: [6, 5, 4, 2], values, gzip, pixdims: [0.5, 0.25, 2, 1] });
      const whole = (await send(volume)).json().image;
      expect(whole).toMatchObject({ width: 6, height: 5, spacing_mm: [0.5, 0.25] });
      expect(whole.frames).toEqual({ kind: 'slices', count: 8, per_frame: 4, address: '0t0' });
      const across = (await send(volume, { frame: 'x3t1' })).json().image;
      expect(across).toMatchObject({ width: 5, height: 4, spacing_mm: [0.25, 2] });
      const pixels = await decodeImage((await server.inject(`/v1/images/${across.id}`)).rawPayload);
      expect(pixels.data[0]).toBe(values[3 + 120]);
    }
  });

  it('are forgotten when others came', async () => {
    const { id } = (await send(png)).json().image;
    for (let i = 0; i < LIMITS.keptImages; i++) await send(png);
    const answer = await server.inject(`/v1/images/${id}`);
    expect([answer.statusCode, answer.json().fix]).toEqual([404, 'Send the image again']);
  });
});

const bomb = nifti({ dims: [100, 100, 60], values: new Array(600_000).fill(0), gzip: true });
/** The same image, claiming to be 30,000 pixels wide. */
const wide = () => {
  const bytes = Buffer.from(png);
  bytes.writeUInt32BE(30_000, 16);
  return bytes;
};

/** The body, the status, where, and what is said. */
const bad: [name: string, path: string, body: () => object, status: number, where: string, what: RegExp][] = [
  ['no image', 'segment', () => ({ prompt: 'cyst' }), 400, 'image', /either an image or an image_id/],
  ['two images', 'segment', () => ({ prompt: 'cyst', image: base64(), image_id: '0'.repeat(32) }), 400, 'image', /either/],
  ['no prompt', 'segment', () => ({ image: base64() }), 400, 'prompt', /there is none/],
  ['an empty prompt', 'segment', () => ({ image: base64(), prompt: ' . ' }), 422, '', /./],
  ['a duplicate phrase', 'segment', () => ({ image: base64(), prompt: ['cyst', 'cyst'] }), 422, 'prompt', /twice/],
  ['an overlong prompt', 'segment', () => ({ image: base64(), prompt: 'x'.repeat(3000) }), 400, 'prompt', /./],
  ['a threshold above 1', 'segment', () => ({ image: base64(), prompt: 'cyst', threshold: 2 }), 400, 'threshold', /<=1/],
  ['a textual threshold', 'segment', () => ({ image: base64(), prompt: 'cyst', threshold: '0.3' }), 400, 'threshold', /number/],
  ['an unknown field', 'segment', () => ({ image: base64(), prompt: 'cyst', treshold: 0.1 }), 400, 'body', /treshold/],
  ['an unknown selection', 'segment', () => ({ image: base64(), prompt: 'cyst', select: 'worst' }), 400, 'select', /best/],
  ['invalid base64', 'segment', () => ({ image: '*', prompt: 'cyst' }), 400, 'image', /base64/],
  ['an empty image', 'segment', () => ({ image: '', prompt: 'cyst' }), 400, 'image', /empty/],
  [
    'a file that is not an image',
    'segment',
    () => ({ image: 'AAAA', prompt: 'cyst' }),
    422,
    'image',
    /cannot be read as an image/,
  ],
  [
    'an SVG',
    'images',
    () => ({ image: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>').toString('base64') }),
    422,
    'image',
    /cannot be read/,
  ],
  [
    'half an image',
    'images',
    () => ({ image: png.subarray(0, png.length / 2).toString('base64') }),
    422,
    'image',
    /cannot be read/,
  ],
  ['too many pixels', 'images', () => ({ image: wide().toString('base64') }), 422, 'image', /up to 0\.03 million are taken/],
  ['a volume that decompresses beyond the limit', 'images', () => ({ image: bomb.toString('base64') }), 422, 'image', /0\.0 GB/],
  ['a frame out of range', 'images', () => ({ image: base64(), frame: '7' }), 422, 'image', /no image 7/],
  ['an invalid frame', 'images', () => ({ image: base64(), frame: 'seven' }), 422, 'frame', /names no frame, page or slice/],
  ['an unknown image', 'segment', () => ({ image_id: 'f'.repeat(32), prompt: 'cyst' }), 404, 'image_id', /not kept/],
  ['an invalid id', 'segment', () => ({ image_id: '../../etc/passwd', prompt: 'cyst' }), 400, 'image_id', /image id/],
  [
    'a box outside the image',
    'masks',
    () => ({ image: base64(), prompts: [{ bbox: [90, 0, 40, 10] }] }),
    422,
    'boxes[0]',
    /out of the image/,
  ],
  ['a box without area', 'masks', () => ({ image: base64(), prompts: [{ bbox: [9, 0, 0, 10] }] }), 400, 'prompts.0.bbox.2', />0/],
  ['an empty mask prompt', 'masks', () => ({ image: base64(), prompts: [{}] }), 400, 'prompts.0', /neither/],
  [
    'labels without points',
    'masks',
    () => ({ image: base64(), prompts: [{ points: [[1, 1]], labels: [1, 0] }] }),
    400,
    'prompts.0.labels',
    /expected 1/,
  ],
  [
    'an invalid label',
    'masks',
    () => ({ image: base64(), prompts: [{ points: [[1, 1]], labels: [2] }] }),
    400,
    'prompts.0.labels.0',
    /./,
  ],
  ['no prompts', 'masks', () => ({ image: base64(), prompts: [] }), 400, 'prompts', /./],
];

describe('bad requests', () => {
  it.each(bad)('%s', async (_name, path, body, status, where, what) => {
    const answer = await post(`/v1/${path}`, body());
    const said = answer.json();
    expect([answer.statusCode, said.status]).toEqual([status, status]);
    if (where !== '') expect(said.where).toBe(where);
    expect(said.what).toMatch(what);
    expect(answer.body).not.toMatch(/\n\s+at |node_modules|\/src\//);
  });

  it.each([
    ['invalid JSON', { payload: '{"image": ', headers: { 'content-type': 'application/json' } }, 400],
    ['an unsupported content type', { payload: 'image', headers: { 'content-type': 'text/plain' } }, 415],
    [
      'a body that is too large',
      { payload: JSON.stringify({ image: 'A'.repeat(300_000) }), headers: { 'content-type': 'application/json' } },
      413,
    ],
    ['a file that is too large', form([['image', new Uint8Array(100_001)]]), 413],
    [
      'two files',
      form([
        ['image', new Uint8Array(9)],
        ['image', new Uint8Array(9)],
      ]),
      400,
    ],
    ['a file of another name', form([['picture', new Uint8Array(9)]]), 400],
    [
      'a duplicate field',
      form([
        ['image', new Uint8Array(9)],
        ['threshold', '0.1'],
        ['threshold', '0.2'],
      ]),
      400,
    ],
    [
      'an invalid number',
      form([
        ['image', new Uint8Array(9)],
        ['threshold', 'low'],
      ]),
      400,
    ],
    ['a field that targets the prototype', form([['__proto__', '{}']]), 400],
    [
      'a truncated form',
      { ...form([['image', new Uint8Array(9)]]), payload: form([['image', new Uint8Array(9)]]).payload.subarray(0, 90) },
      400,
    ],
  ])('%s', async (_name, request, status) => {
    const answer = await server.inject({ method: 'POST', url: '/v1/segment', ...request });
    expect([answer.statusCode, answer.json().status]).toEqual([status, status]);
    expect(answer.json().what.length).toBeGreaterThan(5);
  });

  it('are answered without a trace in the log but method, route, status and time', () => {
    expect(lines.length).toBeGreaterThan(20);
    for (const line of lines) expect(line).toMatch(/^(GET|POST) \/v1\/[a-z]+(\/:id)? \d{3} \d+ ms$/);
  });
});

describe('what the server says of itself', () => {
  it('describes its API', async () => {
    const { paths, openapi } = (await server.inject('/openapi.json')).json();
    expect(openapi).toBe('3.1.0');
    expect(Object.keys(paths)).toEqual([
      '/v1/health',
      '/v1/segment',
      '/v1/masks',
      '/v1/exemplars',
      '/v1/measures',
      '/v1/segmentations',
      '/v1/images',
      '/v1/images/{id}',
      '/v1/clips',
      '/v1/clips/{id}/frames/{frame}',
      '/v1/clips/{id}/find',
      '/v1/clips/{id}/marks',
      '/v1/clips/{id}/propagate',
      '/v1/clips/{id}/tracks/{track}',
      '/v1/clips/{id}/undo',
      '/v1/clips/{id}',
      '/datastore',
      '/datastore/image',
      '/info',
      '/infer/{model}',
    ]);
    const { content } = paths['/v1/segment'].post.requestBody;
    expect(content['application/json'].schema.properties.threshold).toMatchObject({ default: 0.3, minimum: 0, maximum: 1 });
    expect(content['multipart/form-data'].schema.properties.image.description).toBe('the file');
    expect(content['application/json'].schema.properties.image.description).toMatch(/the bytes of/);
    expect(Object.keys(paths['/v1/segment'].post.responses)).toEqual(
      expect.arrayContaining(['200', '400', '413', '422', '429', '503']),
    );
  });

  it('tells its models and limits, and lets pages load nothing from elsewhere', async () => {
    const health = await server.inject('/v1/health');
    expect(health.json()).toMatchObject({ status: 'ok', points: true, limits: { upload_bytes: 100_000, pixels: 30_000 } });
    const page = await server.inject('/');
    expect(page.statusCode).toBe(200);
    expect(page.headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self';/);
    expect(page.body).not.toMatch(/(src|href)="https?:|<script(?! type="module" src="web\/page\/main\.js")|style=/);
    for (const url of ['/../package.json', '/web/page/..%2f..%2f..%2fpackage.json', '/serve/server.js', '/web/index.html'])
      expect((await server.inject(url)).statusCode).not.toBe(200);
  });
});
