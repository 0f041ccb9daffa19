import { hostname } from 'node:os';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { createServer, HttpError, isLoopback, ProcessEngine, tokenFor } from '../../src/serve/index.js';
import { CheckpointError, UsageError } from '../../src/util/index.js';
import { form, HeldEngine, patientLimits } from '../support/server.js';
import { until } from '../support/until.js';

const TOKEN = 'a-token-of-24-letters-ok';

let server: FastifyInstance | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

describe('who may ask', () => {
  it.each([
    ['no token', {}, 401],
    ['another one', { authorization: 'Bearer another' }, 401],
    ['a prefix of it', { authorization: `Bearer ${TOKEN.slice(0, -1)}` }, 401],
    ['another scheme', { authorization: `Basic ${TOKEN}` }, 401],
    ['the token', { authorization: `Bearer ${TOKEN}` }, 200],
  ])('token: %s', async (_name, headers, status) => {
    server = await createServer({ engine: new HeldEngine(), token: TOKEN });
    const answers = await Promise.all(['/v1/health', '/openapi.json'].map((url) => server?.inject({ url, headers })));
    expect(answers.map((answer) => answer?.statusCode)).toEqual([status, status]);
    if (status === 401) expect(answers[0]?.headers['www-authenticate']).toBe('Bearer');
    expect((await server.inject('/')).statusCode).toBe(200);
  });

  it.each([
    ['localhost:8080', 200],
    ['LOCALHOST', 200],
    ['127.0.0.1:8080', 200],
    ['[::1]:8080', 200],
    ['192.168.1.7', 200],
    [hostname(), 200],
    ['scan.example.org', 200],
    ['evil.example.com', 403],
    ['localhost.evil.com', 403],
    ['127.0.0.1.evil.com', 403],
    ['localhost:8080@evil.com', 403],
    ['local host', 403],
  ])('Host: %s', async (host, status) => {
    server = await createServer({ engine: new HeldEngine(), names: ['scan.example.org'] });
    for (const url of ['/v1/health', '/']) expect((await server.inject({ url, headers: { host } })).statusCode).toBe(status);
  });

  it.each([
    [{ origin: 'http://localhost:8080' }, 200],
    [{ origin: 'http://evil.com' }, 403],
    [{ origin: 'http://localhost:9090' }, 403],
    [{ origin: 'null' }, 403],
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'same-origin' }, 200],
  ])('%j', async (headers, status) => {
    server = await createServer({ engine: new HeldEngine() });
    const answer = await server.inject({ url: '/v1/health', headers: { host: 'localhost:8080', ...headers } });
    expect(answer.statusCode).toBe(status);
  });

  it('takes a token wherever others reach it', () => {
    expect(tokenFor('127.0.0.1', [], undefined)).toBeUndefined();
    expect(tokenFor('::1', ['localhost'], undefined)).toBeUndefined();
    const made = ['0.0.0.0', '192.168.0.2'].map((host) => tokenFor(host, [], undefined));
    expect(made.every((token) => token !== undefined && token.length === 32)).toBe(true);
    expect(new Set(made).size).toBe(2);
    expect(tokenFor('127.0.0.1', ['scan.example.org'], undefined)?.length).toBe(32);
    expect(tokenFor('127.0.0.1', [], TOKEN)).toBe(TOKEN);
    for (const poor of ['short', 'with blanks in between']) expect(() => tokenFor('127.0.0.1', [], poor)).toThrow(UsageError);
    expect(['localhost', '127.1.2.3', '::1', '0.0.0.0', '128.0.0.1', 'x'].map(isLoopback)).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});

describe('the queue', () => {
  const send = () => server?.inject({ method: 'POST', url: '/v1/images', ...form([['image', new Uint8Array(9)]]) });
  const requests = (count: number) => until(async () => (await server?.inject('/v1/health'))?.json().requests === count);

  it('computes one at a time, lets a few wait, and sends others away', async () => {
    const engine = new HeldEngine();
    server = await createServer({ engine, limits: { waiting: 2 } });
    const inside = [send(), send(), send()];
    await requests(3);
    expect(engine.started).toBe(1);
    const away = await send();
    expect([away?.statusCode, Number(away?.headers['retry-after'])]).toEqual([429, expect.any(Number)]);
    expect(Number(away?.headers['retry-after'])).toBeGreaterThan(0);
    for (let i = 1; i <= 3; i++) {
      expect(engine.started).toBe(i);
      engine.finish();
      await requests(3 - i);
    }
    expect((await Promise.all(inside)).map((answer) => answer?.statusCode)).toEqual([200, 200, 200]);
  });

  it('tells those whose turn does not come in time', async () => {
    const engine = new HeldEngine();
    server = await createServer({ engine, limits: { waiting: 2, timeoutMs: 200 } });
    const first = send();
    await engine.begins(1);
    const second = await send();
    expect([second?.statusCode, second?.json().what]).toEqual([503, expect.stringMatching(/did not come in time/)]);
    engine.finish();
    expect((await first)?.statusCode).toBe(200);
    expect(engine.started).toBe(1);
  });
});

describe('the process that computes', () => {
  const image = { bytes: new Uint8Array([1, 2, 3]), name: '', frame: undefined };

  it('says why it cannot start', async () => {
    const start = ProcessEngine.start({ models: { detector: '/nowhere' }, backend: 'auto', limits: patientLimits });
    await expect(start).rejects.toThrow(CheckpointError);
  });

  it('is ended when a job takes too long, and restarted for the next one', async () => {
    const warnings: string[] = [];
    const logger = { info: () => {}, warn: (message: string) => void warnings.push(message) };
    const engine = await ProcessEngine.start({ models: {}, backend: 'auto', limits: patientLimits }, logger);
    try {
      const stop = new AbortController();
      const job = engine.run({ kind: 'open', image }, stop.signal).catch((error: unknown) => error);
      stop.abort();
      const error = await job;
      expect(error).toBeInstanceOf(HttpError);
      expect(error).toMatchObject({ status: 504 });
      await expect(engine.run({ kind: 'open', image })).rejects.toThrow(/cannot be read as an image/);
      expect(warnings).toEqual(['loading the models again']);
    } finally {
      await engine.close();
    }
    await expect(engine.run({ kind: 'open', image })).rejects.toMatchObject({ status: 503 });
  });
});
