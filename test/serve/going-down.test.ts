import { afterEach, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { createServer, type ServeLimits } from '../../src/serve/index.js';
import { head, RawClient } from '../support/raw-client.js';
import { form, HeldEngine } from '../support/server.js';
import { until } from '../support/until.js';

let server: FastifyInstance;
let engine: HeldEngine;
let address: string;
const lines: string[] = [];
const clients: RawClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.leave();
  await server.close();
});

async function start(limits: Partial<ServeLimits> = {}): Promise<void> {
  engine = new HeldEngine();
  lines.length = 0;
  const note = (message: string) => void lines.push(message);
  server = await createServer({ engine, limits, logger: { info: note, warn: note } });
  address = await server.listen({ host: '127.0.0.1', port: 0 });
}

async function open(): Promise<RawClient> {
  const client = await RawClient.open(address);
  clients.push(client);
  return client;
}

const { payload, headers } = form([['image', new Uint8Array(3000)]]);
const post = head('POST', '/v1/images', { ...headers, 'content-length': String(payload.length) });
const requests = async () => (await server.inject('/v1/health')).json().requests as number;
const logged = (text: string) => until(() => lines.some((line) => line.startsWith(text)));

/** Room for two answers that are larger than what a connection swallows by itself. */
const BIG = { waiting: 0, uploadBytes: 1e6, heldBytes: 50e6 };

describe('who has left', () => {
  it('gives the place back while it waits, and is written down', async () => {
    await start({ waiting: 1 });
    const [first, second, third] = [await open(), await open(), await open()];
    first.send(post);
    first.send(payload);
    await engine.begins(1);
    second.send(post);
    second.send(payload);
    await until(async () => (await requests()) === 2);
    second.leave();
    await logged('POST /v1/images 499 ');
    // The first one is still computed.
    await until(async () => (await requests()) === 1);
    third.send(post);
    third.send(payload);
    await until(async () => (await requests()) === 2);
    engine.finish();
    await engine.begins(2);
    engine.finish();
    expect([(await first.wait())[0]?.status, (await third.wait())[0]?.status]).toEqual([200, 200]);
    expect(engine.started).toBe(2);
  });

  it('in the midst of its body is written down', async () => {
    await start();
    const client = await open();
    client.send(post);
    client.send(payload.subarray(0, 100));
    client.leave();
    await logged('POST /v1/images 499 ');
    expect(engine.started).toBe(0);
  });

  it('holds its place while it is computed, since its image is in memory', async () => {
    await start({ waiting: 0 });
    const client = await open();
    client.send(post);
    client.send(payload);
    await engine.begins(1);
    client.leave();
    await logged('POST /v1/images 499 ');
    expect(await requests()).toBe(1);
    engine.finish();
    await until(async () => (await requests()) === 0);
  });

  const imageHead = head('GET', `/v1/images/${'0'.repeat(32)}`);
  const answerBig = () => {
    engine.run = () => Promise.resolve(new Uint8Array(20_000_000) as never);
  };

  it('or takes no answer keeps no place from others', async () => {
    await start(BIG);
    answerBig();
    const [mute, other] = [await open(), await open()];
    mute.stopReading();
    mute.send(imageHead);
    other.send(imageHead);
    const answered = async () => (await other.wait()).at(-1)?.status;
    expect([200, 429]).toContain(await answered());
    // At the latest when the first one is computed, which nobody has to read.
    await until(async () => (await requests()) === 0);
    other.send(imageHead);
    expect((await other.wait(2)).at(-1)?.status).toBe(200);
    expect(lines.filter((line) => line.startsWith('GET /v1/images/:id 200 ')).length).toBeLessThanOrEqual(2);
  });

  it('or takes no answer is cut off in the end', async () => {
    await start({ ...BIG, timeoutMs: 300 });
    answerBig();
    const mute = await open();
    mute.stopReading();
    mute.send(imageHead);
    await logged('GET /v1/images/:id 499 ');
    await until(() => new Promise((resolve) => server.server.getConnections((_error, count) => resolve(count === 0))));
  });

  it('answers that nobody takes do not fill the memory', async () => {
    await start(BIG);
    answerBig();
    const mute = [await open(), await open()];
    for (const client of mute) {
      client.stopReading();
      client.send(imageHead);
    }
    const third = await open();
    const statuses: number[] = [];
    while (statuses.at(-1) !== 503) {
      third.send(imageHead);
      statuses.push((await third.wait(statuses.length + 1)).at(-1)?.status ?? 0);
    }
    expect(statuses.every((status) => [200, 429, 503].includes(status))).toBe(true);
    for (const client of mute) client.leave();
    await until(async () => {
      third.send(imageHead);
      return (await third.wait(statuses.push(0))).at(-1)?.status === 200;
    });
  });
});

describe('going down', () => {
  it('does not wait for connections that ask nothing', async () => {
    // Longer than this test may take.
    await start({ headMs: 100_000_000, timeoutMs: 100_000_000 });
    const [mute, begun, idle] = [await open(), await open(), await open()];
    begun.send('GET / HTTP/1.1\r\nhost: local');
    idle.send(head('GET', '/v1/health'));
    await idle.wait();
    await server.close();
    await Promise.all([mute, begun, idle].map((client) => client.waitClosed()));
    expect(engine.closed).toBe(true);
  });

  it('finishes running and waiting jobs, refuses arriving requests, and closes all connections', async () => {
    await start({ headMs: 100_000_000, timeoutMs: 100_000_000, windowMs: 100_000_000 });
    const [running, waiting, arriving] = [await open(), await open(), await open()];
    running.send(post);
    running.send(payload);
    await engine.begins(1);
    waiting.send(post);
    waiting.send(payload);
    await until(async () => (await requests()) === 2);
    arriving.send(post.replace('\r\n\r\n', '\r\nexpect: 100-continue\r\n\r\n'));
    await until(() => arriving.continued);
    arriving.send(payload.subarray(0, 100));
    const down = server.close();
    expect((await arriving.wait()).map(({ status }) => status)).toEqual([503]);
    await arriving.waitClosed();
    expect(engine.closed).toBe(false);
    engine.finish();
    await engine.begins(2);
    engine.finish();
    for (const client of [running, waiting]) expect((await client.wait()).map(({ status }) => status)).toEqual([200]);
    await down;
    await Promise.all([running.waitClosed(), waiting.waitClosed()]);
    expect(engine.closed).toBe(true);
  });

  it('refuses what comes on connections that are still open', async () => {
    await start({ timeoutMs: 100_000_000 });
    const client = await open();
    client.send(post);
    client.send(payload);
    await engine.begins(1);
    const down = server.close();
    client.send(head('GET', '/v1/health'));
    engine.finish();
    await client.waitClosed();
    expect(client.answers.map(({ status }) => status)[0]).toBe(200);
    expect(client.answers.slice(1).every(({ status }) => status === 503)).toBe(true);
    await down;
  });
});
