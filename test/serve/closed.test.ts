import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { createServer } from '../../src/serve/index.js';
import { ask, head, RawClient } from '../support/raw-client.js';
import { HeldEngine } from '../support/server.js';
import { until } from '../support/until.js';

const TOKEN = 'a-token-of-24-letters-ok';
const WITH_TOKEN = { authorization: `Bearer ${TOKEN}` };

let server: FastifyInstance;
let address: string;
const engine = new HeldEngine();
const lines: string[] = [];
beforeAll(async () => {
  const note = (message: string) => void lines.push(message);
  server = await createServer({ engine, token: TOKEN, logger: { info: note, warn: note } });
  // What somebody adds some day and says nothing about.
  server.get('/later', async () => ({ secret: true }));
  address = await server.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => server.close());
afterEach(() => {
  lines.length = 0;
});

/** Ways to write the address of something closed. */
const targets = [
  '/v1/health',
  '/%76%31/health',
  '/%76%31/%68ealth',
  '/v%31/health?x=/',
  '/v1/health?/page.html',
  '/v1/health#/',
  '/%2576%2531/health',
  '/v1%2fhealth',
  '/v1%2Fhealth',
  '/x/%2e%2e/v1/health',
  '/x/../v1/health',
  '/./v1/health',
  '/%2e/v1/health',
  '//v1/health',
  '/v1//health',
  '/v1/health/',
  '/V1/HEALTH',
  '/v1/health;x=1',
  '/;/v1/health',
  '/v1;x/health',
  '/v1\\health',
  '/v1/health%00',
  '/%00',
  '/%',
  '/%zz/v1/health',
  '/%c0%afv1/health',
  '/v1/images/..%2f..%2fhealth',
  `/v1/images/${'a'.repeat(500)}`,
  'http://localhost/v1/health',
  'HTTP://LOCALHOST/v1/health',
  'http://localhost/%76%31/health',
  'https://localhost/v1/health',
  'http://localhost//v1/health',
  'openapi.json',
  '/openapi.json',
  '/openapi%2ejson',
  'http://localhost/openapi.json',
  '/documentation',
  '/documentation/json',
  '/later',
  '/l%61ter',
  '/nothing',
  '/v1',
  '/v1/',
  '*',
];

describe('without the token nothing but the page is open', () => {
  it.each(targets.flatMap((target) => ['GET', 'HEAD', 'POST', 'OPTIONS'].map((method) => [method, target] as const)))(
    '%s %s',
    async (method, target) => {
      const answer = await ask(address, head(method, target, method === 'POST' ? { 'content-length': '0' } : {}));
      // 400 and no connection: what Node's parser takes for no request at all.
      expect([401, 400]).toContain(answer?.status);
      expect(answer?.body).not.toMatch(/backend|secret|openapi"/);
      if (answer?.status === 401) await until(() => lines.some((line) => / 401 \d+ ms$/.test(line)));
    },
  );

  it.each(['/v1/health', '/%76%31/health', 'http://localhost/v1/health', 'http://localhost/%76%31/health'])(
    'the same address with the token: %s',
    async (target) => {
      const answer = await ask(address, head('GET', target, WITH_TOKEN));
      expect([answer?.status, JSON.parse(answer?.body ?? '').status]).toEqual([200, 'ok']);
      await until(() => lines.some((line) => line.startsWith('GET /v1/health 200 ')));
    },
  );

  it.each(['/v1/segment', '/%761/segment', '/v1/%73egment', 'http://localhost/v1/segment', '/v1/masks', '/v1/images'])(
    'does not read the body of %s',
    async (target) => {
      const started = engine.started;
      const headers = { 'content-type': 'application/json', 'content-length': '2' };
      const answer = await ask(address, `${head('POST', target, headers)}{}`);
      expect(answer?.status).toBe(401);
      expect(engine.started).toBe(started);
    },
  );

  it.each(['TRACE', 'PUT', 'DELETE', 'PATCH', 'PROPFIND', 'QUERY', 'LOCK'])('%s', async (method) => {
    const answer = await ask(address, head(method, '/v1/health'));
    expect([401, 400]).toContain(answer?.status);
    expect(answer?.headers['access-control-allow-origin']).toBeUndefined();
  });

  it('CONNECT is hung up on', async () => {
    expect(await ask(address, head('CONNECT', 'localhost:80', WITH_TOKEN))).toBeUndefined();
  });

  it('an upgrade is an ordinary request', async () => {
    const upgrade = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'AAAA' };
    expect((await ask(address, head('GET', '/v1/health', upgrade)))?.status).toBe(401);
    expect(
      (await ask(address, head('GET', '/v1/health', { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c' })))?.status,
    ).toBe(401);
  });

  it('each of several requests in a row is looked at for itself', async () => {
    const client = await RawClient.open(address);
    const closed = head('GET', '/v1/health');
    const open = head('GET', '/v1/health', WITH_TOKEN);
    client.send(open + closed + head('GET', '/%76%31/health') + open);
    expect((await client.wait(4)).map(({ status }) => status)).toEqual([200, 401, 401, 200]);
    client.leave();
  });

  it('the page and its parts are open', async () => {
    for (const path of ['/', '/index.html', '/style.css', '/web/page/main.js', '/imaging/rle.js'])
      expect((await ask(address, head('GET', path)))?.status).toBe(200);
    // The parts, not what the compiler left beside them.
    for (const path of [
      '/web/page/main.js.map',
      '/web/page/main.d.ts',
      '/.env',
      '/../package.json',
      '/web/page/../worker/main.js',
    ])
      expect((await ask(address, head('GET', path)))?.status).toBe(401);
  });

  it.each([
    ['a scheme in another case', `bearer ${TOKEN}`, 200],
    ['blanks behind it', `Bearer ${TOKEN}  `, 200],
    ['two tokens', `Bearer ${TOKEN}, Bearer ${TOKEN}`, 401],
    ['something before it', `Bearer x${TOKEN}`, 401],
    ['something behind it', `Bearer ${TOKEN}x`, 401],
    ['no scheme', TOKEN, 401],
    ['nothing', '', 401],
  ])('%s', async (_name, authorization, status) => {
    expect((await ask(address, head('GET', '/v1/health', { authorization })))?.status).toBe(status);
  });

  it('the token is not taken from the address', async () => {
    for (const query of [`token=${TOKEN}`, `authorization=Bearer%20${TOKEN}`])
      expect((await ask(address, head('GET', `/v1/health?${query}`)))?.status).toBe(401);
    expect(lines.join('\n')).not.toContain(TOKEN);
  });
});

describe('what may be two requests in one', () => {
  const body = head('GET', '/v1/health', WITH_TOKEN);
  const hidden = [
    ['two lengths', 'content-length: 0\r\ncontent-length: 60\r\n'],
    ['a length and chunks', 'content-length: 4\r\ntransfer-encoding: chunked\r\n'],
    ['chunks and a length', 'transfer-encoding: chunked\r\ncontent-length: 4\r\n'],
    ['chunks behind something else', 'transfer-encoding: chunked, identity\r\n'],
    ['a blank before the colon', 'transfer-encoding : chunked\r\n'],
    ['a length with a sign', 'content-length: +4\r\n'],
    ['a length of letters', 'content-length: 4x\r\n'],
    ['a folded header line', 'x-a: 1\r\n content-length: 4\r\n'],
    ['a bare line feed', 'x-a: 1\ncontent-length: 60\n'],
    ['a NUL', 'x-a: \u0000\r\n'],
  ] as const;

  it.each(hidden)('%s: no more than one answer, and the connection is closed', async (_name, headers) => {
    const client = await RawClient.open(address);
    client.send(`POST /v1/segment HTTP/1.1\r\nhost: localhost\r\n${headers}\r\n0\r\n\r\n${body}`);
    await client.waitClosed();
    expect(client.answers.map(({ status }) => status)).toEqual([400]);
    expect(JSON.parse(client.answers[0]?.body ?? '')).toMatchObject({ status: 400, where: 'request' });
    expect(client.answers[0]?.headers['x-content-type-options']).toBe('nosniff');
    expect(lines).toContain('- - 400 0 ms');
  });

  it('chunks under another name', async () => {
    const client = await RawClient.open(address);
    client.send(`POST /v1/segment HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n${body}`);
    await client.waitClosed();
    expect(client.answers.map(({ status }) => status)).toEqual([400]);
  });

  it.each([
    ['two hosts', 'host: localhost\r\nhost: evil.example\r\n', 400],
    ['no host', '', 400],
  ])('%s', async (_name, headers, status) => {
    expect((await ask(address, `GET /v1/health HTTP/1.1\r\n${headers}authorization: Bearer ${TOKEN}\r\n\r\n`))?.status).toBe(
      status,
    );
  });

  it('a request of HTTP/1.0 without a host names no server', async () => {
    expect((await ask(address, `GET /v1/health HTTP/1.0\r\nauthorization: Bearer ${TOKEN}\r\n\r\n`))?.status).toBe(403);
  });

  it.each([
    'http://evil.example/v1/health',
    'http://localhost@evil.example/v1/health',
    'http://evil.example:80/',
    'http:///v1/health',
  ])('an absolute request target takes precedence over Host: %s', async (target) => {
    expect([400, 403]).toContain((await ask(address, head('GET', target, WITH_TOKEN)))?.status);
  });

  it('what is no HTTP, and too long a head', async () => {
    expect((await ask(address, 'SSH-2.0-OpenSSH_9.2\r\n\r\n'))?.status).toBe(400);
    expect((await ask(address, '\u0016\u0003\u0001\u0002\u0000\u0001'))?.status).toBe(400);
    expect((await ask(address, head('GET', '/', { 'x-a': 'a'.repeat(20_000) })))?.status).toBe(431);
    expect((await ask(address, head('GET', `/${'a'.repeat(20_000)}`)))?.status).toBe(431);
  });
});

describe('unsupported methods of a path', () => {
  it.each([
    ['POST', '/v1/health', 'GET, HEAD'],
    ['GET', '/v1/segment', 'POST'],
    ['OPTIONS', '/v1/segment', 'POST'],
    ['DELETE', '/v1/images/0', 'GET, HEAD'],
    ['TRACE', '/openapi.json', 'GET, HEAD'],
  ])('%s %s', async (method, path, allow) => {
    const answer = await ask(address, head(method, path, WITH_TOKEN));
    expect([answer?.status, answer?.headers['allow']]).toEqual([405, expect.stringContaining(allow)]);
    expect(answer?.headers['access-control-allow-origin']).toBeUndefined();
  });

  it('HEAD is GET without a body', async () => {
    const answer = await ask(address, head('HEAD', '/v1/health', WITH_TOKEN));
    expect(answer?.status).toBe(200);
    expect(Number(answer?.headers['content-length'])).toBeGreaterThan(50);
  });
});

describe('who comes from elsewhere', () => {
  const visit = {
    'sec-fetch-site': 'cross-site',
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document',
    accept: 'text/html',
  };

  it('gets the page by a link', async () => {
    const answer = await ask(address, head('GET', '/', visit));
    expect([answer?.status, answer?.headers['content-type']]).toEqual([200, expect.stringMatching(/^text\/html/)]);
  });

  it.each([
    ['a frame', '/', { ...visit, 'sec-fetch-dest': 'iframe' }, 403],
    [
      'a script',
      '/web/page/main.js',
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' },
      403,
    ],
    ['a page of another port', '/style.css', { 'sec-fetch-site': 'same-site', 'sec-fetch-dest': 'style' }, 403],
    ['a link to a protected address', '/v1/health', { ...visit, ...WITH_TOKEN }, 403],
    ['a link with a referrer', '/', { ...visit, origin: 'http://evil.example' }, 403],
  ])('serves nothing to %s', async (_name, path, headers, status) => {
    expect((await ask(address, head('GET', path, headers)))?.status).toBe(status);
  });

  it.each([
    ['a wrong name', '/', { ...visit, host: 'evil.example' }, 403, /not called so.*--allow-host/s],
    ['a closed address', '/<script>alert(1)</script>', visit, 401, /a token is needed.*<a href="\/">/s],
  ])('shows a page with a remedy: %s', async (_name, path, headers, status, said) => {
    const answer = await ask(address, head('GET', path, headers));
    expect([answer?.status, answer?.headers['content-type']]).toEqual([status, 'text/html; charset=utf-8']);
    expect(answer?.body).toMatch(said);
    expect(answer?.body).not.toMatch(/<script|evil\.example/);
    expect(answer?.headers['content-security-policy']).toMatch(/default-src 'none'/);
  });

  it('programs read JSON, and so does who visits the API', async () => {
    const answers = [
      await ask(address, head('GET', '/nothing')),
      await ask(address, head('GET', '/v1/health', { ...visit, 'sec-fetch-site': 'none' })),
    ];
    for (const answer of answers) {
      expect(answer?.headers['content-type']).toBe('application/json; charset=utf-8');
      expect(JSON.parse(answer?.body ?? '')).toMatchObject({ status: 401, where: 'authorization' });
    }
  });

  it.each(['/', '/v1/health', '/nothing', '/%', '/style.css'])(
    'forbids framing, sniffing, sharing and caching of every answer: %s',
    async (path) => {
      expect((await ask(address, head('GET', path)))?.headers).toMatchObject({
        'cache-control': 'no-store',
        'content-security-policy': expect.stringMatching(/frame-ancestors 'none'/),
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
      });
    },
  );
});

describe('the log', () => {
  it('has a line for every request, and nothing of its content', async () => {
    await ask(address, head('GET', '/'));
    await ask(address, head('GET', '/nothing/%0d%0aGET%20/v1/health%20200', WITH_TOKEN));
    await ask(address, head('GET', `/v1/health?token=${TOKEN}`, WITH_TOKEN));
    await ask(address, head('GET', '/%', WITH_TOKEN));
    await until(() => lines.length >= 4);
    expect(lines.map((line) => line.replace(/\d+ ms$/, 'N ms'))).toEqual([
      'GET / 200 N ms',
      'GET - 404 N ms',
      'GET /v1/health 200 N ms',
      'GET - 404 N ms',
    ]);
  });
});
