import { afterEach, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { ArrivalRate, ByteBudget } from '../../src/serve/arrival/index.js';
import { createServer, type ServeLimits } from '../../src/serve/index.js';
import { head, RawClient } from '../support/raw-client.js';
import { form, HeldEngine } from '../support/server.js';
import { until } from '../support/until.js';

describe('the least rate', () => {
  const limits = { leastBytesPerS: 100, windowMs: 1000, timeoutMs: 10_000 };
  const after = (pieces: readonly (readonly [atMs: number, bytes: number])[]) => {
    const rate = new ArrivalRate(limits, 5000);
    return pieces.map(([atMs, bytes]) => {
      rate.add(bytes);
      return rate.check(5000 + atMs);
    });
  };

  it.each([
    [
      'nothing at all',
      [
        [999, 0],
        [1000, 0],
      ],
      ['in time', 'slow'],
    ],
    [
      'just enough in each window',
      [
        [1000, 100],
        [2000, 100],
        [3000, 100],
      ],
      ['in time', 'in time', 'in time'],
    ],
    [
      'one byte too few',
      [
        [1000, 100],
        [2000, 99],
      ],
      ['in time', 'slow'],
    ],
    [
      'a fast start does not excuse a slow end',
      [
        [10, 1e6],
        [1000, 0],
        [2000, 1],
      ],
      ['in time', 'in time', 'slow'],
    ],
    ['a late check counts the whole time', [[3000, 299]], ['slow']],
    ['a late check with enough bytes', [[3000, 300]], ['in time']],
    [
      'fast but endless',
      [
        [1000, 1e6],
        [9999, 1e6],
        [10_000, 1e6],
      ],
      ['in time', 'in time', 'late'],
    ],
  ] as const)('%s', (_name, pieces, expected) => {
    expect(after(pieces)).toEqual(expected);
  });
});

describe('the memory of all requests', () => {
  it('is bounded, and given back when the last holder lets go', () => {
    const budget = new ByteBudget(100);
    const [one, other] = [budget.share(), budget.share()];
    one.take(60);
    other.take(40);
    expect(() => other.take(1)).toThrow(expect.objectContaining({ status: 503, retryAfter: 5 }));
    expect(() => budget.checkRoom(1)).toThrow(/fill its memory/);
    one.hold();
    one.release();
    expect(budget.held).toBe(100);
    one.release();
    expect(budget.held).toBe(40);
    budget.share().take(60);
    other.release();
    other.release();
    expect(budget.held).toBe(60);
  });
});

describe('bodies that arrive', () => {
  let server: FastifyInstance | undefined;
  const clients: RawClient[] = [];
  afterEach(async () => {
    for (const client of clients.splice(0)) client.leave();
    await server?.close();
    server = undefined;
  });

  const lines: string[] = [];
  async function start(
    limits: Partial<ServeLimits>,
  ): Promise<{ engine: HeldEngine; open: () => Promise<RawClient>; server: FastifyInstance }> {
    const engine = new HeldEngine();
    lines.length = 0;
    const note = (message: string) => void lines.push(message);
    const made = await createServer({ engine, limits, logger: { info: note, warn: note } });
    server = made;
    const address = await made.listen({ host: '127.0.0.1', port: 0 });
    const open = async () => {
      const client = await RawClient.open(address);
      clients.push(client);
      return client;
    };
    return { engine, open, server: made };
  }

  const { payload, headers } = form([['image', new Uint8Array(3000)]]);
  const post = (length: number | 'chunked', type = headers['content-type']) =>
    head('POST', '/v1/images', {
      'content-type': type,
      ...(length === 'chunked' ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(length) }),
    });

  it.each(['multipart/form-data; boundary=edge-of-the-parts', 'application/json'])(
    'a trickling body is ended with 408, and its connection closed: %s',
    async (type) => {
      const { engine, open } = await start({ leastBytesPerS: 1e6, windowMs: 50 });
      const client = await open();
      client.send(post(5000, type));
      client.send(payload.subarray(0, 10));
      await client.waitClosed();
      expect(client.answers.map(({ status }) => status)).toEqual([408]);
      expect(JSON.parse(client.answers[0]?.body ?? '')).toMatchObject({
        where: 'body',
        what: expect.stringMatching(/bytes a second/),
      });
      expect(engine.started).toBe(0);
      await until(() => lines.some((line) => line.startsWith('POST /v1/images 408 ')));
    },
  );

  it('one that never ends is ended, however fast it is', async () => {
    const { open } = await start({ leastBytesPerS: 1, windowMs: 20, timeoutMs: 100 });
    const client = await open();
    client.send(post('chunked', 'application/json'));
    while (!client.closed) {
      client.send('1\r\n \r\n');
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(client.answers.map(({ status }) => status)).toEqual([408]);
  });

  it('keeps no place for computing from others while it arrives', async () => {
    const { engine, open } = await start({ waiting: 0 });
    const slow = await Promise.all(Array.from({ length: 20 }, open));
    for (const client of slow) {
      client.send(post(payload.length));
      client.send(payload.subarray(0, 100));
    }
    const fast = await open();
    fast.send(post(payload.length));
    fast.send(payload);
    await engine.begins(1);
    engine.finish();
    expect((await fast.wait()).map(({ status }) => status)).toEqual([200]);
    slow[7]?.send(payload.subarray(100));
    await engine.begins(2);
    engine.finish();
    expect((await slow[7]?.wait())?.map(({ status }) => status)).toEqual([200]);
  });

  it('shares the memory with all others, and gives it back when its sender leaves', async () => {
    // One largest body fits, and nothing beside it.
    const limits = { uploadBytes: 300_000, heldBytes: 0 };
    const { engine, open } = await start(limits);
    const first = await open();
    const big = form([['image', new Uint8Array(300_000)]]).payload;
    first.send(post(big.length));
    first.send(big.subarray(0, -10));
    const second = await open();
    // Declared, and then not declared.
    await until(async () => {
      const client = await open();
      client.send(post(big.length));
      client.send(big);
      const [answer] = await client.wait();
      if (answer?.status === 503) expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
      else engine.finish();
      client.leave();
      return answer?.status === 503;
    });
    second.send(post('chunked'));
    second.send(`${big.length.toString(16)}\r\n`);
    second.send(big);
    second.send('\r\n0\r\n\r\n');
    expect((await second.wait()).map(({ status }) => status)).toEqual([503]);
    first.leave();
    await until(() => lines.some((line) => line.startsWith('POST /v1/images 499 ')));
    const before = engine.started;
    // The connection that was refused goes on: the rest of its body was read and forgotten.
    second.send(post(big.length));
    second.send(big);
    await engine.begins(before + 1);
    engine.finish();
    expect((await second.wait(2)).map(({ status }) => status)).toEqual([503, 200]);
  });

  it.each([
    ['declared', (bytes: Buffer) => [post(bytes.length), bytes]],
    ['not declared', (bytes: Buffer) => [post('chunked'), `${bytes.length.toString(16)}\r\n`, bytes, '\r\n0\r\n\r\n']],
  ] as const)('an oversized body is answered and drained, and the connection stays open: %s', async (_name, pieces) => {
    const { open } = await start({ uploadBytes: 100_000 });
    const client = await open();
    for (const piece of pieces(form([['image', new Uint8Array(400_000)]]).payload)) client.send(piece);
    client.send(head('GET', '/v1/health'));
    expect((await client.wait(2)).map(({ status }) => status)).toEqual([413, 200]);
  });

  it('what is far too large is cut off', async () => {
    const { open } = await start({ uploadBytes: 100_000 });
    const client = await open();
    client.send(post('chunked', 'application/json'));
    const chunk = Buffer.alloc(100_000, ' ');
    while (!client.closed) {
      client.send(`${chunk.length.toString(16)}\r\n`);
      client.send(chunk);
      client.send('\r\n');
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(client.answers.map(({ status }) => status).filter((status) => status !== 413)).toEqual([]);
  });

  it('a head that does not come, or comes by letters, ends by time', async () => {
    const { open } = await start({ headMs: 50 });
    const [mute, dribbling] = [await open(), await open()];
    dribbling.send('GET / HTTP/1.1\r\nhost: local');
    await Promise.all([mute.waitClosed(), dribbling.waitClosed()]);
    expect(mute.answers).toEqual([]);
    expect(dribbling.answers.map(({ status }) => status)).toEqual([408]);
  });

  it('more connections than are taken are closed', async () => {
    const { open } = await start({ connections: 3 });
    const taken = [await open(), await open(), await open()];
    for (const client of taken) {
      client.send(head('GET', '/'));
      await client.wait();
    }
    await (await open()).waitClosed();
    expect(lines).toContain('3 connections are open: further ones are refused');
    taken[0]?.leave();
    await until(async () => {
      const client = await open();
      client.send(head('GET', '/'));
      return (await client.wait()).length === 1;
    });
  });

  it('five hundred senders leave nothing behind', async () => {
    const { engine, open, server: made } = await start({ waiting: 600, uploadBytes: 100_000, heldBytes: 0 });
    engine.atOnce = true;
    const part = Buffer.concat([Buffer.from(post(payload.length)), payload.subarray(0, 2000)]);
    for (let i = 0; i < 50; i++) {
      const ten = await Promise.all(Array.from({ length: 10 }, open));
      for (const [j, client] of ten.entries()) {
        client.send(part);
        if (j % 2 === 0) client.send(payload.subarray(2000));
      }
      await Promise.all(ten.filter((_, j) => j % 2 === 0).map((client) => client.wait()));
      for (const client of ten) client.leave();
    }
    await until(() => lines.filter((line) => / (200|499|503) \d+ ms$/.test(line)).length >= 500);
    const left = await new Promise((resolve) => made.server.getConnections((_error, count) => resolve(count)));
    // A body of the whole memory still fits, and the queue is empty.
    const client = await open();
    const whole = form([['image', new Uint8Array(100_000)]]).payload;
    client.send(post(whole.length));
    client.send(whole);
    client.send(head('GET', '/v1/health'));
    const [answer, health] = await client.wait(2);
    expect([answer?.status, JSON.parse(health?.body ?? '').requests, left]).toEqual([200, 0, 0]);
  });
});
