import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { decodeMask, decodeRle, encodePng, maskArea, maskToPng, maskToRle, type RasterImage } from '../../src/imaging/index.js';
import type { Segmenter } from '../../src/infer/index.js';
import { UniverSegPredictor } from '../../src/infer/index.js';
import { loadUniverSeg } from '../../src/pretrained/index.js';
import { ExemplarModel } from '../../src/serve/engine/exemplar-model.js';
import { createServer, defaultLimits, LocalEngine } from '../../src/serve/index.js';
import { Rng } from '../../src/util/index.js';
import { useBackend } from '../support/backend.js';
import { form } from '../support/server.js';

useBackend();

const LIMITS = { ...defaultLimits, timeoutMs: 900_000, pixels: 4000 };
const NAMES = { backend: 'test', detector: 'd', masker: 'm', adapter: null };

/** A bright square on noise; the seed makes it unlike all others. */
function shot(seed: number, width = 48, height = 36) {
  const rng = Rng.seeded(seed, 3);
  const [x0, y0] = [4 + rng.int(20), 4 + rng.int(12)];
  const mask = { width, height, data: new Uint8Array(width * height) };
  for (let y = y0; y < y0 + 14; y++) mask.data.fill(1, y * width + x0, y * width + x0 + 18);
  const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => rng.int(60) + 180 * (mask.data[Math.floor(i / 3)] ?? 0));
  const outline = [x0, y0, x0 + 18, y0, x0 + 18, y0 + 14, x0, y0 + 14];
  return { image: { width, height, data } satisfies RasterImage, mask, outline };
}

const [first, second, target] = [shot(1), shot(2, 40, 44), shot(9)];
let predictor: UniverSegPredictor;
let server: FastifyInstance;
let without: FastifyInstance;
beforeAll(async () => {
  predictor = new UniverSegPredictor(await loadUniverSeg('weights/universeg-nano', { random: Rng.seeded(1) }));
  const segmenter = { masker: undefined, dispose: () => {} } as unknown as Segmenter<undefined>;
  const model = new ExemplarModel('universeg-nano', predictor, LIMITS);
  server = await createServer({ engine: new LocalEngine(segmenter, LIMITS, NAMES, { byExemplars: model }), limits: LIMITS });
  without = await createServer({ engine: new LocalEngine(segmenter, LIMITS, NAMES), limits: LIMITS });
});
afterAll(async () => {
  await server.close();
  await without.close();
});

const base64 = async (image: RasterImage) => (await encodePng(image)).toString('base64');
const post = (body: object, to = server) =>
  to.inject({
    method: 'POST',
    url: '/v1/exemplars',
    headers: { 'content-type': 'application/json' },
    payload: JSON.stringify(body),
  });

describe('POST /v1/exemplars', () => {
  it('answers what the library answers, for exemplars as RLE, mask file and outline, from JSON and a form', async () => {
    await predictor.setSupport([first.image, second.image], [first.mask, second.mask]);
    const expected = await predictor.predict(target.image);
    predictor.forget();
    const image = await base64(target.image);
    const one = { image: await base64(first.image), mask: { ...maskToRle(first.mask) } };
    const two = { image: await base64(second.image) };
    const png = Buffer.from(await maskToPng(second.mask)).toString('base64');
    const answers = [
      await post({ image, exemplars: [one, { ...two, mask: png }], label: 'square' }),
      await post({ image, exemplars: [one, { ...two, polygons: [second.outline] }], label: 'square' }),
      await server.inject({
        method: 'POST',
        url: '/v1/exemplars',
        ...form([
          ['image', await encodePng(target.image)],
          ['exemplars', JSON.stringify([one, { ...two, mask: png }])],
          ['label', 'square'],
        ]),
      }),
    ];
    const area = maskArea(expected.mask);
    for (const answer of answers) {
      expect(answer.statusCode).toBe(200);
      const { segments } = answer.json();
      expect(segments).toHaveLength(area > 0 ? 1 : 0);
      if (area === 0) continue;
      expect(segments[0]).toMatchObject({ phrase: 'square', score: expected.score, area, mask: { ...maskToRle(expected.mask) } });
      expect(decodeRle(segments[0].mask.counts, 48, 36).data).toEqual(expected.mask.data);
    }
    expect((await decodeMask(Buffer.from(png, 'base64'))).data).toEqual(second.mask.data);
  });

  it('takes images that are in memory, and does not drop them for exemplars that are sent', async () => {
    const open = async (image: RasterImage) =>
      (
        await server.inject({
          method: 'POST',
          url: '/v1/images',
          headers: { 'content-type': 'application/json' },
          payload: JSON.stringify({ image: await base64(image) }),
        })
      ).json().image.id as string;
    const [a, b] = [await open(first.image), await open(target.image)];
    const sent = await base64(second.image);
    const exemplars = [{ image_id: a, mask: { ...maskToRle(first.mask) } }];
    for (let i = 0; i < 15; i++) exemplars.push({ image: sent, mask: { ...maskToRle(second.mask) } } as never);
    expect((await post({ image_id: b, exemplars })).statusCode).toBe(200);
    expect((await post({ image_id: b, exemplars: exemplars.slice(0, 2) })).statusCode).toBe(200);
  });

  it('is refused where the server has no weights, which its health says too', async () => {
    const body = {
      image: await base64(target.image),
      exemplars: [{ image: await base64(first.image), polygons: [first.outline] }],
    };
    const answer = await post(body, without);
    expect([answer.statusCode, answer.json().code]).toEqual([422, 'E_OPTION_MISSING']);
    expect(answer.json()).toMatchObject({ where: 'exemplars', fix: expect.stringContaining('--universeg') });
    expect((await without.inject('/v1/health')).json().exemplars).toBe(null);
    expect((await server.inject('/v1/health')).json().exemplars).toBe('universeg-nano');
  });

  it.each([
    ['no exemplar', () => [], 400, 'exemplars', ''],
    ['too many exemplars', (one: object) => Array.from({ length: 17 }, () => one), 400, 'exemplars', ''],
    ['neither mask nor outline', ({ image }: { image: string }) => [{ image }], 400, 'exemplars.0.mask', 'expected either'],
    [
      'mask and outline',
      (one: object) => [{ ...one, polygons: [[0, 0, 1, 0, 1, 1]] }],
      400,
      'exemplars.0.mask',
      'expected either',
    ],
    ['an exemplar without an image', ({ mask }: { mask: object }) => [{ mask }], 400, 'exemplars.0.image', 'expected either'],
    [
      'an outline of half a point',
      ({ image }: { image: string }) => [{ image, polygons: [[0, 0, 1, 0, 1, 1, 5]] }],
      400,
      'exemplars.0.polygons.0',
      'pairs',
    ],
    [
      'a mask of another size',
      ({ image }: { image: string }) => [{ image, mask: { size: [36, 47], counts: '0' } }],
      422,
      'exemplars.0',
      '47x36',
    ],
    [
      'a size beyond memory',
      ({ image }: { image: string }) => [{ image, mask: { size: [1e9, 1e9], counts: '0' } }],
      422,
      'exemplars.0',
      '1000000000',
    ],
    [
      'a damaged RLE',
      ({ image }: { image: string }) => [{ image, mask: { size: [36, 48], counts: 'zzz' } }],
      422,
      'exemplars.0',
      'damaged',
    ],
    [
      'an empty mask',
      ({ image }: { image: string }) => [{ image, polygons: [[90, 90, 99, 90, 99, 99]] }],
      422,
      'exemplars.0',
      'shows nothing',
    ],
    [
      'an image that is no longer kept',
      ({ mask }: { mask: object }) => [{ mask, image_id: '0'.repeat(32) }],
      404,
      'image_id',
      'not kept',
    ],
    [
      'the image itself',
      async () => [{ image: await base64(target.image), polygons: [target.outline] }],
      422,
      'image',
      'one of the exemplars',
    ],
    [
      'a mask file of too many pixels',
      async ({ image }: { image: string }) => [{ image, mask: await base64(shot(5, 100, 90).image) }],
      422,
      '',
      'pixels',
    ],
    ['an unknown field', (one: object) => [{ ...one, colour: 1 }], 400, 'exemplars.0', ''],
  ] as const)('refuses %s by name', async (_name, exemplarsOf, status, where, what) => {
    const one = { image: await base64(first.image), mask: { ...maskToRle(first.mask) } };
    const answer = await post({ image: await base64(target.image), exemplars: await exemplarsOf(one as never) });
    expect([answer.statusCode, answer.json().where, answer.json().what]).toEqual([
      status,
      expect.stringContaining(where),
      expect.stringContaining(what),
    ]);
  });
});
