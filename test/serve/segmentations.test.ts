import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { replacedIdentity } from '../../src/evidence/index.js';
import { decodeRle, encodePng } from '../../src/imaging/index.js';
import { GroundedSegmenter } from '../../src/infer/index.js';
import { nanoModels } from '../../src/pretrained/index.js';
import { createServer, LocalEngine } from '../../src/serve/index.js';
import { useBackend } from '../support/backend.js';
import { dicom } from '../support/dicom.js';
import { encodeBoth, SOURCES, STUDY, sourceFile } from '../support/evidence.js';
import { form, patientLimits } from '../support/server.js';

useBackend();

const SINGLE = SOURCES['a single frame'] as (typeof SOURCES)[string];
const CLIP = { ...(SOURCES['a cine clip of 30 frames'] as (typeof SOURCES)[string]), count: 3 };

let server: FastifyInstance;
beforeAll(async () => {
  const names = { backend: 'test', detector: 'd', masker: 'nano', adapter: null };
  const engine = new LocalEngine(await GroundedSegmenter.load(nanoModels), patientLimits, names);
  server = await createServer({ engine, limits: patientLimits });
});
afterAll(() => server.close());

const post = async (url: string, body: object) => {
  const answer = await server.inject({ method: 'POST', url, body });
  return { status: answer.statusCode, body: answer.json() };
};
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const opened = async (bytes: Buffer, file_name = 'scan.dcm') =>
  (await post('/v1/images', { image: base64(bytes), file_name })).body.image.id as string;
const read = (segmentation: Uint8Array, of: Readonly<Record<string, string>>) =>
  post('/v1/segmentations', { segmentation: base64(segmentation), file_name: 'scan.seg.dcm', ...of });

describe('POST /v1/segmentations', () => {
  for (const kind of ['binary', 'labelmap'] as const)
    it(`gives the segments of an image with their names, bit by bit, and measured (${kind})`, async () => {
      const { options, segmentation } = await encodeBoth(sourceFile(SINGLE), kind);
      const { status, body } = await read(segmentation.bytes, { image_id: await opened(sourceFile(SINGLE)) });
      expect(status).toBe(200);
      expect(body.segments).toHaveLength(3);
      for (const [i, { label, frames }] of options.objects.entries()) {
        const { phrase, frame, score, mask, measures } = body.segments[i];
        expect({ phrase, frame, score }).toEqual({ phrase: label, frame: 0, score: null });
        expect(decodeRle(mask.counts, 61, 43)).toEqual(frames[0]?.mask);
        expect(measures).toEqual(frames[0]?.measures?.measures);
      }
    });

  it('gives those of a clip frame by frame', async () => {
    const bytes = sourceFile(CLIP);
    const { options, segmentation } = await encodeBoth(bytes);
    const clip_id = (await post('/v1/clips', { image: base64(bytes) })).body.clip.id;
    const { status, body } = await read(segmentation.bytes, { clip_id });
    expect(status).toBe(200);
    const found = body.segments.map(({ phrase, frame }: { phrase: string; frame: number }) => `${phrase} ${frame}`).sort();
    const wanted = options.objects.flatMap(({ label, frames }) => frames.map(({ frame }) => `${label} ${frame}`)).sort();
    expect(found).toEqual(wanted);
  });

  it('refuses by name those of another image, unless identity was removed', async () => {
    const other = sourceFile({ ...SINGLE, more: { ...SINGLE.more, '00080018': { vr: 'UI', Value: ['1.2.826.7.99'] } } });
    const image_id = await opened(other);
    const { segmentation } = await encodeBoth(sourceFile(SINGLE));
    expect(await read(segmentation.bytes, { image_id })).toMatchObject({
      status: 422,
      body: { code: 'E_DICOM_REFERENCE', where: 'scan.seg.dcm', what: 'it is of the image 1.2.826.7.3, not of 1.2.826.7.99' },
    });
    const anonymous = await encodeBoth(sourceFile(SINGLE), 'binary', replacedIdentity());
    expect((await read(anonymous.segmentation.bytes, { image_id })).status).toBe(200);
  });

  it('refuses by name those of other rows and columns, also of the same proportions', async () => {
    const large = dicom({ width: 122, height: 86, frames: [new Uint8Array(122 * 86)], more: STUDY });
    const png = await encodePng({ width: 43, height: 61, data: new Uint8Array(43 * 61 * 3) });
    const { segmentation } = await encodeBoth(sourceFile(SINGLE));
    for (const [bytes, name, size] of [
      [large, 'large.dcm', '122x86'],
      [png, 'turned.png', '43x61'],
    ] as const)
      expect(await read(segmentation.bytes, { image_id: await opened(bytes, name) })).toMatchObject({
        status: 422,
        body: { code: 'E_MASK_SIZE', where: 'scan.seg.dcm', what: `it has 61x43 pixels, its image ${size}` },
      });
  });

  it('takes a form', async () => {
    const { segmentation } = await encodeBoth(sourceFile(SINGLE));
    const fields = form([
      ['image_id', await opened(sourceFile(SINGLE))],
      ['segmentation', segmentation.bytes],
    ]);
    const answer = await server.inject({ method: 'POST', url: '/v1/segmentations', ...fields });
    expect([answer.statusCode, answer.json().segments.length]).toEqual([200, 3]);
  });

  it('refuses what is no segmentation, and a request that does not say what it is of', async () => {
    const image_id = await opened(sourceFile(SINGLE));
    expect(await read(sourceFile(SINGLE), { image_id })).toMatchObject({ status: 422, body: { code: 'E_IMAGE_FORMAT' } });
    const { segmentation } = await encodeBoth(sourceFile(SINGLE));
    expect(await read(segmentation.bytes, {})).toMatchObject({ status: 400, body: { where: 'image_id' } });
    const gone = 'f'.repeat(32);
    expect(await read(segmentation.bytes, { image_id: gone })).toMatchObject({
      status: 404,
      body: { code: 'E_HTTP_IMAGE_GONE' },
    });
    expect(await read(segmentation.bytes, { clip_id: gone })).toMatchObject({ status: 404, body: { code: 'E_HTTP_CLIP_GONE' } });
  });
});
