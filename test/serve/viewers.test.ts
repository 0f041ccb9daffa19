import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { PhantomDataset, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { encodePng, type RasterImage } from '../../src/imaging/index.js';
import { GroundedSegmenter } from '../../src/infer/index.js';
import { nanoModels } from '../../src/pretrained/index.js';
import { createServer, LocalEngine } from '../../src/serve/index.js';
import { useBackend } from '../support/backend.js';
import { nifti } from '../support/nifti.js';
import { patientLimits } from '../support/server.js';

useBackend();

const TOKEN = 'a-token-of-24-letters-ok';
const ORIGIN = 'http://localhost:3000';
const PROMPT = 'cyst. kidney. mass.';

let segmenter: GroundedSegmenter;
let server: FastifyInstance;
let image: RasterImage;
let png: Buffer;
beforeAll(async () => {
  segmenter = await GroundedSegmenter.load(nanoModels);
  const engine = new LocalEngine(segmenter, patientLimits, { backend: 'test', detector: 'd', masker: 'm', adapter: null });
  const domain = phantomDomains['standard'] as PhantomDomain;
  ({ image } = await new PhantomDataset({ size: 1, seed: 5, width: 96, height: 80, domain }).load(0));
  png = await encodePng(image);
  server = await createServer({
    engine,
    limits: patientLimits,
    token: TOKEN,
    origins: [ORIGIN],
    viewers: {
      prompt: PROMPT,
      images: {
        list: async () => ['scans/a.png'],
        read: async (id) =>
          id === 'scans/a.png'
            ? [{ bytes: png, name: id }]
            : id === '1.2.3'
              ? [png, png].map((bytes) => ({ bytes, name: 'x.png' }))
              : undefined,
      },
    },
  });
});
afterAll(() => server.close());

const authorization = `Bearer ${TOKEN}`;
/** As Slicer's client writes it, boundary and all. */
const LIMIT = '----------lImIt_of_THE_fIle_eW_$';
function slicerForm(fields: Record<string, string>, files: Record<string, readonly [name: string, bytes: Uint8Array]> = {}) {
  const parts: (string | Uint8Array)[] = [];
  for (const [name, value] of Object.entries(fields))
    parts.push(`--${LIMIT}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n`, value, '\r\n');
  for (const [name, [file, bytes]] of Object.entries(files))
    parts.push(
      `--${LIMIT}\r\nContent-Disposition: form-data; name="${name}"; filename="${file}"\r\nContent-Type: application/octet-stream\r\n\r\n`,
      bytes,
      '\r\n',
    );
  parts.push(`--${LIMIT}--\r\n\r\n`);
  return {
    payload: Buffer.concat(parts.map((part) => Buffer.from(part as string))),
    headers: { authorization, 'content-type': `multipart/form-data; boundary=${LIMIT}` },
  };
}

const params = (more: object = {}) =>
  JSON.stringify({
    prompt: PROMPT,
    threshold: '0.05',
    nms: 0.5,
    result_extension: '.nrrd',
    result_dtype: 'uint8',
    client_id: 'user-xyz',
    ...more,
  });

/** Header fields and labels of an NRRD file. */
function readNrrd(bytes: Buffer): { fields: Record<string, string>; labels: Buffer } {
  const end = bytes.indexOf('\n\n');
  const [magic, ...lines] = bytes.subarray(0, end).toString('latin1').split('\n');
  expect(magic).toBe('NRRD0004');
  return {
    fields: Object.fromEntries(lines.map((line) => line.split(': ') as [string, string])),
    labels: bytes.subarray(end + 2),
  };
}

/** The parts of an answered form. */
function readForm(payload: Buffer, type: string): Record<string, { head: string; content: Buffer }> {
  const [, edge] = /^multipart\/form-data; boundary=(.*)$/.exec(type) ?? [];
  const pieces = payload.toString('latin1').split(`--${edge}`).slice(1, -1);
  return Object.fromEntries(
    pieces.map((piece) => {
      const at = piece.indexOf('\r\n\r\n');
      const head = piece.slice(2, at);
      return [/ name="(\w+)"/.exec(head)?.[1] ?? '', { head, content: Buffer.from(piece.slice(at + 4, -2), 'latin1') }];
    }),
  );
}

/** The volume that the library's own masks make, best on top. */
async function expectedLabels(): Promise<Buffer> {
  const found = await segmenter.segment(image, PROMPT, { threshold: 0.05 });
  const labels = Buffer.alloc(image.width * image.height);
  const names = ['cyst', 'kidney', 'mass'];
  for (const { phrase, mask } of [...found].sort((a, b) => a.score - b.score))
    for (let i = 0; i < labels.length; i++) if (mask.data[i]) labels[i] = names.indexOf(phrase) + 1;
  return labels;
}

describe('3D Slicer', () => {
  it('logs in with the token as password, and no other', async () => {
    expect((await server.inject('/auth/')).json()).toMatchObject({ enabled: true });
    const login = (password: string) =>
      server.inject({
        method: 'POST',
        url: '/auth/token',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        payload: new URLSearchParams({ username: 'anna', password, grant_type: 'password' }).toString(),
      });
    expect((await login(TOKEN)).json()).toEqual({ access_token: TOKEN, token_type: 'Bearer' });
    expect((await login('another')).statusCode).toBe(401);
    const valid = (headers: { authorization?: string }) => server.inject({ url: '/auth/token/valid', headers });
    expect([(await valid({ authorization })).statusCode, (await valid({})).statusCode]).toEqual([200, 401]);
  });

  it('lists the model with its labels, and takes no training for running', async () => {
    const info = (await server.inject({ url: '/info/', headers: { authorization } })).json();
    expect(info.models.sonoground).toMatchObject({ type: 'segmentation', labels: { cyst: 1, kidney: 2, mass: 3 } });
    expect(info).toMatchObject({ labels: ['cyst', 'kidney', 'mass'], datastore: { total: 1, completed: 0 } });
    // 200 is what it takes for "running".
    expect((await server.inject({ url: '/train/?check_if_running=true', headers: { authorization } })).statusCode).toBe(404);
  });

  it('gets labels of an image that it uploads, as form with the file in it', async () => {
    const upload = await server.inject({
      method: 'PUT',
      url: '/datastore/?image=Volume+1',
      ...slicerForm({ params: '{"client_id": "user-xyz"}' }, { file: ['/tmp/x/tmpabc.png', png] }),
    });
    expect(upload.json()).toEqual({ image: 'Volume 1' });
    const answer = await server.inject({
      method: 'POST',
      url: '/infer/sonoground?image=Volume+1',
      ...slicerForm({ params: params({ largest: 1 }) }),
    });
    expect(answer.statusCode).toBe(200);
    const form = readForm(answer.rawPayload, String(answer.headers['content-type']));
    expect(form['image']?.head).toMatch(/filename="labels\.nrrd"/);
    const { fields, labels } = readNrrd(form['image']?.content as Buffer);
    expect(fields).toMatchObject({ type: 'uint8', dimension: '3', sizes: '96 80 1', encoding: 'raw' });
    expect(labels).toEqual(await expectedLabels());
    expect(new Set(labels).size).toBeGreaterThan(1);
    const told = JSON.parse(String(form['params']?.content));
    expect(told).toMatchObject({ label_names: { cyst: 1, kidney: 2, mass: 3 }, shape: [96, 80, 1], ignored: ['largest'] });
    expect(told.objects[0]).toMatchObject({ measures: null, unmeasured: expect.any(String) });
  });

  it('gets labels in the place of its volume, slice by slice, by a session', async () => {
    const grey = Uint8Array.from({ length: 96 * 80 }, (_, i) => image.data[i * 3] ?? 0);
    const affine = [
      [0.5, 0, 0, 10],
      [0, -0.25, 0, -20],
      [0, 0, 2, 5],
    ];
    const bytes = nifti({ dims: [96, 80, 2], values: [...grey, ...new Uint8Array(96 * 80)], sform: affine });
    const made = await server.inject({
      method: 'PUT',
      url: '/session/',
      ...slicerForm({ client_id: 'user-xyz' }, { files: ['tmp1.nii', bytes] }),
    });
    const { session_id } = made.json();
    expect((await server.inject({ url: `/session/${session_id}`, headers: { authorization } })).statusCode).toBe(200);
    const answer = await server.inject({
      method: 'POST',
      url: `/infer/sonoground?image=Volume&session_id=${session_id}&output=image`,
      ...slicerForm({ params: params({ frame: '0' }) }),
    });
    const { fields, labels } = readNrrd(answer.rawPayload);
    expect(fields).toMatchObject({
      space: 'left-posterior-superior',
      sizes: '96 80 2',
      'space directions': '(-0.5,0,0) (0,0.25,0) (0,0,2)',
      'space origin': '(-10,20,5)',
    });
    expect(labels.subarray(0, 96 * 80)).toEqual(await expectedLabels());
    expect(new Set(labels.subarray(96 * 80))).toEqual(new Set([0]));
  });

  it('reads the datastore and cannot change it', async () => {
    const get = (url: string) => server.inject({ url, headers: { authorization } });
    expect(Object.keys((await get('/datastore/?output=all')).json().objects)).toContain('scans/a.png');
    const next = await server.inject({
      method: 'POST',
      url: '/activelearning/next',
      headers: { authorization, 'content-type': 'application/json' },
      payload: '{"client_id": "x"}',
    });
    expect(next.json()).toEqual({ id: 'scans/a.png', name: 'a.png' });
    expect((await get('/datastore/image?image=scans%2Fa.png')).rawPayload).toEqual(png);
    for (const image of ['..%2Fsecret.png', '%2Fetc%2Fpasswd', 'b.png'])
      expect((await get(`/datastore/image?image=${image}`)).statusCode).toBe(404);
    for (const [method, url] of [
      ['DELETE', '/datastore/image?id=scans%2Fa.png'],
      ['DELETE', '/datastore/?id=scans%2Fa.png'],
    ] as const) {
      const { statusCode } = await server.inject({ method, url, headers: { authorization } });
      expect([404, 405]).toContain(statusCode);
    }
    const saved = await server.inject({
      method: 'PUT',
      url: '/datastore/label?image=a',
      ...slicerForm({ params: '{}' }, { label: ['l.nii.gz', Buffer.from('x')] }),
    });
    expect([saved.statusCode, saved.json().what]).toEqual([403, 'the datastore is read only']);
  });

  it.each([
    ['a model that there is not', '/infer/deepgrow?image=scans%2Fa.png', {}, {}, 404],
    ['an image that there is not', '/infer/sonoground?image=b', {}, {}, 404],
    ['no image', '/infer/sonoground', {}, {}, 400],
    ['scribbles', '/infer/sonoground?image=scans%2Fa.png', {}, { label: ['s.nii.gz', Buffer.from('x')] as const }, 400],
    ['a form of result that is not written', '/infer/sonoground?image=scans%2Fa.png', { result_extension: '.nii.gz' }, {}, 400],
    ['a threshold that is none', '/infer/sonoground?image=scans%2Fa.png', { threshold: 'high' }, {}, 400],
    ['a frame that there is not', '/infer/sonoground?image=scans%2Fa.png', { frame: 7 }, {}, 422],
    ['a file that is no image', '/infer/sonoground', {}, { file: ['a.nii.gz', Buffer.from('hello')] as const }, 422],
  ])('is refused %s', async (_, url, more, files, status) => {
    const answer = await server.inject({ method: 'POST', url, ...slicerForm({ params: params(more) }, files) });
    expect([answer.statusCode, typeof answer.json().what]).toEqual([status, 'string']);
  });
});

describe('OHIF', () => {
  /** Its client knows an address and no token. */
  const base = `/with-token/${TOKEN}`;
  const headers = { origin: ORIGIN, 'sec-fetch-site': 'cross-site' };
  const form = (body: object) => {
    const { payload, headers: type } = slicerForm({ params: JSON.stringify(body) });
    return { payload, headers: { ...headers, 'content-type': type['content-type'] } };
  };

  it('gets the labels of all images of a series, as bytes that it can read', async () => {
    const info = await server.inject({ url: `${base}/info/`, headers });
    expect([info.statusCode, info.headers['access-control-allow-origin'], info.headers['vary']]).toEqual([200, ORIGIN, 'origin']);
    const { statusCode, rawPayload } = await server.inject({
      method: 'POST',
      url: `${base}/infer/sonoground?image=1.2.3&output=image`,
      ...form({
        prompt: PROMPT,
        threshold: 0.05,
        result_extension: '.nrrd',
        result_dtype: 'uint8',
        result_compress: false,
        restore_label_idx: false,
      }),
    });
    expect(statusCode).toBe(200);
    const { fields, labels } = readNrrd(rawPayload);
    const one = await expectedLabels();
    expect([fields['sizes'], labels.equals(Buffer.concat([one, one]))]).toEqual(['96 80 2', true]);
  });

  it('asks before it sends a token, and is answered without one', async () => {
    const ask = (origin: string, more: object = {}) =>
      server.inject({
        method: 'OPTIONS',
        url: '/infer/sonoground',
        headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization', ...more },
      });
    const answer = await ask(ORIGIN, { 'access-control-request-private-network': 'true' });
    expect([answer.statusCode, answer.payload]).toEqual([204, '']);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': ORIGIN,
      'access-control-allow-headers': expect.stringContaining('authorization'),
      'access-control-allow-methods': expect.stringContaining('POST'),
      'access-control-allow-private-network': 'true',
    });
    for (const other of ['http://localhost:3001', 'https://localhost:3000', 'http://evil.com', 'null']) {
      const refused = await ask(other);
      expect([refused.statusCode, refused.headers['access-control-allow-origin']]).toEqual([403, undefined]);
    }
    // No preflight: nothing is answered without the token.
    expect((await server.inject({ method: 'OPTIONS', url: '/v1/health', headers: { origin: ORIGIN } })).statusCode).toBe(401);
    const rebound = await server.inject({
      method: 'OPTIONS',
      url: '/info/',
      headers: { origin: ORIGIN, host: 'evil.com', 'access-control-request-method': 'GET' },
    });
    expect(rebound.statusCode).toBe(403);
  });

  it.each([
    ['without a token', '/info/', {}],
    ['with a wrong one in the address', '/with-token/another-token-of-letters/info/', {}],
    ['with an empty one', '/with-token//info/', {}],
    ['with a wrong header beside the right address', `/with-token/${TOKEN}/info/`, { authorization: 'Bearer another' }],
    ['at an address without a route', '/nothing', {}],
  ])('gets nothing %s, and may read that', async (_, url, more) => {
    const answer = await server.inject({ url, headers: { ...headers, ...more } });
    expect([answer.statusCode, answer.headers['access-control-allow-origin']]).toEqual([401, ORIGIN]);
  });
});

describe('a server without allowed origins', () => {
  let closed: FastifyInstance;
  beforeAll(async () => {
    const engine = new LocalEngine(segmenter, patientLimits, { backend: 'test', detector: 'd', masker: 'm', adapter: null });
    closed = await createServer({ engine, token: TOKEN });
  });

  it('answers no preflight and takes no token from an address', async () => {
    const preflight = await closed.inject({
      method: 'OPTIONS',
      url: '/info/',
      headers: { origin: ORIGIN, 'access-control-request-method': 'GET' },
    });
    expect([preflight.statusCode, preflight.headers['access-control-allow-origin']]).toEqual([403, undefined]);
    expect((await closed.inject(`/with-token/${TOKEN}/info/`)).statusCode).toBe(401);
    expect((await closed.inject({ url: '/info/', headers: { authorization } })).headers['vary']).toBeUndefined();
  });
});
