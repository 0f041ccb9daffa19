import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { tf } from '../../src/backend/index.js';
import { generatePhantomClip, type PhantomClip, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { decodeImage, decodeRle, maskArea } from '../../src/imaging/index.js';
import { CarriedBoxes, GroundedSegmenter, type PromptedMasker } from '../../src/infer/index.js';
import { nanoModels } from '../../src/pretrained/index.js';
import { createServer, LocalEngine } from '../../src/serve/index.js';
import { useBackend } from '../support/backend.js';
import { clipDicom } from '../support/clip-dicom.js';
import { form, patientLimits } from '../support/server.js';

useBackend();

const LIMITS = { ...patientLimits, keptClips: 2, clipFrames: 40, clipUndo: 3, clipIdleMs: 1000, uploadBytes: 2_000_000 };
const NAMES = { backend: 'test', detector: 'd', masker: 'nano', adapter: null };
const FRAMES = 8;

interface Track {
  readonly track: number;
  readonly phrase: string;
  readonly object_score: number;
  readonly marked: boolean;
  readonly bbox: readonly number[] | null;
  readonly area: number;
  readonly mask: { readonly counts: string; readonly size: readonly [number, number] } | null;
}

let segmenter: GroundedSegmenter;
let phantom: PhantomClip;
let file: Buffer;
let nowMs = 0;
/** One whose masker carries objects, and one without. */
let memory: FastifyInstance;
let detection: FastifyInstance;

beforeAll(async () => {
  segmenter = await GroundedSegmenter.load(nanoModels);
  const domain = phantomDomains['standard'] as PhantomDomain;
  phantom = generatePhantomClip(3, { width: 128, height: 112, domain, frames: FRAMES, leaves: false });
  file = await clipDicom(phantom);
  const now = () => nowMs;
  const shared = { ...segmenter.masker, dispose: () => {} };
  Object.setPrototypeOf(shared, Object.getPrototypeOf(segmenter.masker) as object);
  const tracking = new CarriedBoxes(segmenter.masker as unknown as PromptedMasker);
  // Both engines share the models, which the last one frees.
  const borrowed = Object.assign(Object.create(segmenter) as GroundedSegmenter, { dispose: () => {} });
  const first = new LocalEngine(borrowed, LIMITS, NAMES, { tracking: { track: (clip) => tracking.track(clip) }, now });
  memory = await createServer({ engine: first, limits: LIMITS });
  detection = await createServer({ engine: new LocalEngine(segmenter, LIMITS, NAMES, { now }), limits: LIMITS });
});
afterAll(async () => {
  await memory.close();
  await detection.close();
});

const send = (server: FastifyInstance, method: 'POST' | 'DELETE' | 'GET', url: string, body?: object) =>
  server.inject({
    method,
    url,
    ...(body && { headers: { 'content-type': 'application/json' }, payload: JSON.stringify(body) }),
  });

async function open(server: FastifyInstance, bytes: Buffer = file, more: object = {}) {
  const answer = await send(server, 'POST', '/v1/clips', { image: bytes.toString('base64'), ...more });
  expect(answer.statusCode).toBe(200);
  return answer.json().clip as { id: string; frames: number; tracking: string };
}

/** A true box of the phantom, as the API has it. */
function boxOn(frame: number): number[] {
  const [object] = phantom.objects(frame);
  const [x0, y0, x1, y1] = object?.boxXyxyPx ?? [0, 0, 1, 1];
  return [x0, y0, x1 - x0, y1 - y0];
}

async function propagate(server: FastifyInstance, id: string, body: object): Promise<object[]> {
  const answer = await send(server, 'POST', `/v1/clips/${id}/propagate`, body);
  expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, 'application/x-ndjson; charset=utf-8']);
  return answer.body
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
}

describe('POST /v1/clips', () => {
  it('keeps a clip, says how it will be followed, and gives its frames', async () => {
    const clip = await open(memory, file, { mm_per_pixel: 0.5 });
    expect(clip).toMatchObject({ width: 128, height: 112, frames: FRAMES, frame_seconds: 0.04, spacing_mm: [0.5, 0.5] });
    expect([clip.tracking, (await open(detection)).tracking]).toEqual(['memory', 'detection']);
    const health = await Promise.all([memory, detection].map((server) => send(server, 'GET', '/v1/health')));
    expect(health.map((answer) => answer.json().clips)).toEqual(['memory', 'detection']);
    const png = await send(memory, 'GET', `/v1/clips/${clip.id}/frames/5`);
    const shown = await decodeImage(png.rawPayload);
    const own = await phantom.frame(5);
    expect(shown.data.filter((_, i) => i % 3 === 0)).toEqual(own.data.filter((_, i) => i % 3 === 0));
    const { payload, headers } = form([['image', file]]);
    const sent = await memory.inject({ method: 'POST', url: '/v1/clips', payload, headers });
    expect(sent.json().clip).toMatchObject({ frames: FRAMES });
  });

  it('refuses what is no clip, too long, or sent twice, without naming a path', async () => {
    for (const [body, status, what] of [
      [{}, 400, /the file of a clip, once/],
      [{ image: '' }, 400, /empty/],
      [{ image: Buffer.from('hello').toString('base64') }, 422, /cannot be read as a clip/],
      [{ image: Buffer.from('hello').toString('base64'), file_name: 'a.mp4' }, 422, /no folder for videos/],
      [{ image: file.subarray(0, 5000).toString('base64') }, 422, /./],
      [{ image: file.toString('base64'), frame: '3' }, 400, /frame/],
    ] as const) {
      const answer = await send(memory, 'POST', '/v1/clips', body);
      expect(answer.statusCode).toBe(status);
      expect(answer.json().what).toMatch(what);
      expect(answer.body).not.toMatch(/\/(tmp|root|home)\//);
    }
    const long = await clipDicom({ ...phantom, frames: 41, frame: () => phantom.frame(0) });
    const answer = await send(memory, 'POST', '/v1/clips', { image: long.toString('base64') });
    expect([answer.statusCode, answer.json().what]).toEqual([422, 'it has 41 frames; up to 40 are taken']);
  });
});

describe('a clip that is followed', () => {
  it('is found by a phrase, carried both ways frame by frame, corrected and undone', async () => {
    const { id } = await open(memory);
    const at = (path: string) => `/v1/clips/${id}/${path}`;
    const found = (await send(memory, 'POST', at('find'), { frame: 3, prompt: phantom.phrases.join('. '), threshold: 0.2, select: 'best-per-image' })).json(); // biome-ignore format: one request
    expect(found).toMatchObject({ frame: 3, undo: 1 });
    expect(found.tracks).toHaveLength(1);
    const [first, ...lines] = await propagate(memory, id, { from: 3 });
    expect(first).toEqual({ frames: 5, undo: 2 });
    expect(lines.at(-1)).toEqual({ done: true });
    const frames = lines.slice(0, -1) as { frame: number; tracks: Track[] }[];
    expect(frames.map(({ frame }) => frame)).toEqual([3, 4, 5, 6, 7]);
    for (const { frame, tracks } of frames) {
      expect(tracks).toHaveLength(1);
      const [{ mask, area, marked, object_score }] = tracks as [Track];
      expect(marked).toBe(frame === 3);
      expect(object_score).toBeGreaterThanOrEqual(0);
      if (mask !== null) expect(maskArea(decodeRle(mask.counts, 128, 112))).toBe(area);
    }
    const back = (await propagate(memory, id, { from: 3, direction: 'backward', frames: 2 })) as { frame?: number }[];
    expect(back.flatMap(({ frame }) => frame ?? [])).toEqual([3, 2]);
    const mark = { frame: 6, track: 1, bbox: boxOn(6) };
    const corrected = (await send(memory, 'POST', at('marks'), mark)).json();
    expect(corrected.tracks[0]).toMatchObject({ track: 1, marked: true });
    // No more than three changes are kept.
    expect(corrected.undo).toBe(3);
    expect((await send(memory, 'POST', at('undo'), {})).json()).toEqual({ undo: 2 });
    const again = (await propagate(memory, id, { from: 3, frames: 4 })) as { tracks?: Track[] }[];
    expect(again[4]?.tracks?.[0]?.marked).toBe(false);
    expect((await send(memory, 'DELETE', at('tracks/1'))).json()).toEqual({ undo: 3 });
    const gone = await send(memory, 'POST', at('propagate'), { from: 0 });
    expect([gone.statusCode, gone.json().what]).toEqual([422, 'no object is marked on any frame']);
  });

  it('takes points and masks as marks, and new objects beside others', async () => {
    const { id } = await open(memory);
    const marks = `/v1/clips/${id}/marks`;
    const box = (await send(memory, 'POST', marks, { frame: 0, phrase: 'lesion', bbox: boxOn(0) })).json();
    expect(box.tracks[0]).toMatchObject({ track: 1, phrase: 'lesion', score: null, marked: true });
    const [x, y, w, h] = boxOn(0) as [number, number, number, number];
    const point = (await send(memory, 'POST', marks, { frame: 0, points: [[x + w / 2, y + h / 2]] })).json();
    expect(point.tracks[0]).toMatchObject({ track: 2, phrase: 'drawn' });
    const { mask } = box.tracks[0];
    const given = (await send(memory, 'POST', marks, { frame: 5, phrase: 'given', mask })).json();
    expect(given.tracks[0]).toMatchObject({ track: 3, mask, area: box.tracks[0].area });
    for (const [body, status] of [
      [{ frame: 0 }, 400],
      [{ frame: 0, bbox: [0, 0, 5, 5], mask }, 400],
      [{ frame: 0, points: [[1, 1]], labels: [1, 0] }, 400],
      [{ frame: 0, mask: { size: [3, 3], counts: mask.counts } }, 422],
      [{ frame: 0, mask: { ...mask, counts: '0' } }, 422],
      [{ frame: FRAMES, bbox: [0, 0, 5, 5] }, 422],
      [{ frame: 0, track: 9, bbox: [0, 0, 5, 5] }, 422],
    ] as const)
      expect((await send(memory, 'POST', marks, body)).statusCode).toBe(status);
    // Nothing of what was refused can be undone.
    expect((await send(memory, 'POST', `/v1/clips/${id}/undo`)).json()).toEqual({ undo: 2 });
  });

  it('without a memory is looked at frame by frame, and what is drawn stays where it is', async () => {
    const { id } = await open(detection);
    const at = (path: string) => `/v1/clips/${id}/${path}`;
    const drawn = (await send(detection, 'POST', at('marks'), { frame: 2, phrase: 'mine', bbox: boxOn(2) })).json();
    expect(drawn.tracks[0]).toMatchObject({ track: 1, phrase: 'mine' });
    const early = await send(detection, 'POST', at('propagate'), { from: 0 });
    expect([early.statusCode, early.json().what]).toEqual([422, expect.stringMatching(/no memory of other frames/)]);
    await send(detection, 'POST', at('find'), { frame: 0, prompt: phantom.phrases.join('. '), threshold: 0.2 });
    const lines = (await propagate(detection, id, { from: 0 })) as { frame?: number; tracks?: Track[] }[];
    expect(lines.flatMap(({ frame }) => frame ?? [])).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(lines.slice(1, -1).every(({ tracks }) => tracks?.every(({ phrase }) => phrase !== 'mine'))).toBe(true);
  });

  it('ends with an error that has the number of a frame that cannot be read; the frames before it stay', async () => {
    const cut = await clipDicom({ ...phantom, frames: 6 });
    const { id } = await open(memory, cut);
    const missing = await send(memory, 'GET', `/v1/clips/${id}/frames/6`);
    expect([missing.statusCode, missing.json()]).toMatchObject([
      422,
      { code: 'E_FRAME_NOT_FOUND', where: 'clip', what: 'there is no frame 6' },
    ]);
    const beyond = await send(memory, 'POST', `/v1/clips/${id}/propagate`, { from: 6 });
    expect(beyond.json().what).toMatch(/no object is marked/);
    await send(memory, 'POST', `/v1/clips/${id}/marks`, { frame: 0, bbox: boxOn(0) });
    const far = await send(memory, 'POST', `/v1/clips/${id}/propagate`, { from: 6 });
    expect([far.statusCode, far.json().what]).toEqual([422, 'there is no frame 6: it has 6, counted from 0']);
  });
});

describe('clips in memory', () => {
  it('are closed when asked, when there are too many, and when nobody used them for a while', async () => {
    const first = await open(memory);
    expect((await send(memory, 'DELETE', `/v1/clips/${first.id}`)).json()).toEqual({});
    const gone = await send(memory, 'GET', `/v1/clips/${first.id}/frames/0`);
    expect([gone.statusCode, gone.json().code]).toEqual([404, 'E_HTTP_CLIP_GONE']);
    const [a, b] = [await open(memory), await open(memory)];
    await send(memory, 'GET', `/v1/clips/${a.id}/frames/0`);
    const c = await open(memory);
    const status = async ({ id }: { id: string }) => (await send(memory, 'GET', `/v1/clips/${id}/frames/0`)).statusCode;
    expect([await status(a), await status(b), await status(c)]).toEqual([200, 404, 200]);
    nowMs += 600;
    expect(await status(c)).toBe(200);
    nowMs += 600;
    expect([await status(a), await status(c)]).toEqual([404, 200]);
  });

  it('leave no tensor behind', async () => {
    const run = async () => {
      const { id } = await open(memory);
      await send(memory, 'POST', `/v1/clips/${id}/marks`, { frame: 0, bbox: boxOn(0) });
      await propagate(memory, id, { from: 0, frames: 3 });
      await send(memory, 'DELETE', `/v1/clips/${id}`);
    };
    await run();
    const before = tf.memory().numTensors;
    await run();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('are described in the API with their errors', async () => {
    const { paths } = (await send(memory, 'GET', '/openapi.json')).json();
    expect(Object.keys(paths).filter((path) => path.startsWith('/v1/clips'))).toEqual([
      '/v1/clips',
      '/v1/clips/{id}/frames/{frame}',
      '/v1/clips/{id}/find',
      '/v1/clips/{id}/marks',
      '/v1/clips/{id}/propagate',
      '/v1/clips/{id}/tracks/{track}',
      '/v1/clips/{id}/undo',
      '/v1/clips/{id}',
    ]);
    expect(Object.keys(paths['/v1/clips/{id}/propagate'].post.responses['200'].content)).toEqual(['application/x-ndjson']);
    const refused = await send(memory, 'GET', '/v1/clips');
    expect([refused.statusCode, refused.headers['allow']]).toEqual([405, 'POST']);
  });
});
