import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from '@jest/globals';
import { head, RawClient } from '../support/raw-client.js';
import { form } from '../support/server.js';
import { describeUnless } from '../support/skipped.js';
import { until } from '../support/until.js';

const entry = fileURLToPath(new URL('../../dist/command-line/index.js', import.meta.url));

/** Where a process is found by its parent. */
const missing = process.platform === 'linux' ? undefined : 'there is no /proc here';

describeUnless(missing, 'npm run serve', () => {
  let child: ChildProcess | undefined;
  const clients: RawClient[] = [];
  afterEach(() => {
    for (const client of clients.splice(0)) client.leave();
    child?.kill('SIGKILL');
  });

  /** @returns its address, and the process that computes for it. */
  async function start(): Promise<{ server: ChildProcess; address: string; engine: number; said: () => string }> {
    const server = spawn(process.execPath, [entry, 'serve', '--port', '0'], { stdio: ['ignore', 'ignore', 'pipe'] });
    child = server;
    let text = '';
    server.stderr.on('data', (piece) => {
      text += piece;
    });
    await until(() => /http:\S+ /.test(text) || server.exitCode !== null);
    expect(server.exitCode).toBeNull();
    let engine = 0;
    // The kernel does not promise to list all children at once, and 0 would stand for this process and all beside it.
    await until(async () => {
      const children = await readFile(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8');
      engine = Number.parseInt(children, 10);
      return engine > 1;
    });
    return { server, address: /http:\S+/.exec(text)?.[0] ?? '', engine, said: () => text };
  }

  async function open(address: string): Promise<RawClient> {
    const client = await RawClient.open(address);
    clients.push(client);
    return client;
  }

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('exits on %s although an idle connection is open', async (signal) => {
    const { server, address } = await start();
    await open(address);
    const over = once(server, 'exit');
    server.kill(signal);
    expect(await over).toEqual([0, null]);
  });

  it('ends by a second signal though something is computed, and what computes ends too', async () => {
    const { server, address, engine, said } = await start();
    // What is asked of it is never done.
    process.kill(engine, 'SIGSTOP');
    const [client, other] = [await open(address), await open(address)];
    const { payload, headers } = form([['image', new Uint8Array(9)]]);
    client.send(head('POST', '/v1/images', { ...headers, 'content-length': String(payload.length) }));
    client.send(payload);
    await until(async () => {
      other.send(head('GET', '/v1/health'));
      return JSON.parse((await other.wait(other.answers.length + 1)).at(-1)?.body ?? '').requests === 1;
    });
    const over = once(server, 'exit');
    server.kill('SIGTERM');
    await until(() => said().includes('finishing requests'));
    expect(server.exitCode).toBeNull();
    server.kill('SIGTERM');
    expect(await over).toEqual([143, null]);
    await until(() => !existsSync(`/proc/${engine}`));
  });
});
