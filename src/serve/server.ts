import { fileURLToPath } from 'node:url';
import multipart from '@fastify/multipart';
import files from '@fastify/static';
import swagger from '@fastify/swagger';
import { serializerCompiler, validatorCompiler } from '@fastify/type-provider-zod';
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { type Logger, silentLogger } from '../util/index.js';
import { checkOrigin, checkToken } from './access.js';
import { answerError } from './answer-errors.js';
import type { Engine } from './engine/index.js';
import { HttpError } from './http-error.js';
import { defaultLimits, type ServeLimits } from './limits.js';
import { openApiOptions } from './openapi.js';
import { type Place, Queue } from './queue.js';
import { readForm, type Upload } from './read-form.js';
import { addRoutes } from './routes.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the route computes, and so needs a place in the queue. */
    queued?: boolean;
  }
  interface FastifyRequest {
    /** The file that came with a form. */
    upload: Upload | undefined;
    /** Its place in the queue, if it needs one. */
    place: Place | undefined;
  }
}

export interface ServerOptions {
  /** Closed with the server. */
  readonly engine: Engine;
  readonly limits?: Partial<ServeLimits>;
  /** What requests of the API must carry; no token if undefined. */
  readonly token?: string | undefined;
  /** Names by which the server is reached, besides `localhost` and the machine's own. */
  readonly names?: readonly string[];
  readonly version?: string;
  /** Told of each request its method, path, status and time; never a content or a file's name. */
  readonly logger?: Logger;
}

/** Seconds for which a browser may keep a connection open without asking. */
const KEEP_ALIVE_MS = 10_000;

/** Room for what is around an upload. */
const MARGIN_BYTES = 64 * 1024;

/** A page of ours loads scripts, styles and pictures of ours, and talks to us alone. */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
} as const;

/**
 * Makes the web server: the page, the REST API below `/v1`, and `/openapi.json`. It does not listen yet.
 *
 * @example
 * const server = await createServer({ engine: await ProcessEngine.start({ models: {}, backend: 'auto', limits: defaultLimits }) });
 * await server.listen({ host: '127.0.0.1', port: 8080 });
 */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const { engine, token, names = [], version = '0', logger = silentLogger } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const queue = new Queue(engine, limits);
  const server = fastify({
    logger: false,
    // Base64 takes four letters for three bytes.
    bodyLimit: Math.ceil((limits.uploadBytes * 4) / 3) + MARGIN_BYTES,
    requestTimeout: limits.timeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    exposeHeadRoutes: false,
    frameworkErrors: (error, _request, reply) => void answerError(error, reply, limits, logger),
  });
  // A page of another server may send it without asking first.
  server.removeContentTypeParser('text/plain');
  server.decorateRequest('upload', undefined);
  server.decorateRequest('place', undefined);
  server.setValidatorCompiler(validatorCompiler);
  server.setSerializerCompiler(serializerCompiler);
  server.setErrorHandler((error, _request, reply) => answerError(error, reply, limits, logger));
  server.setNotFoundHandler((_request, reply) => {
    const error = new HttpError({ status: 404, where: 'path', what: 'there is nothing here', fix: 'See /openapi.json' });
    return answerError(error, reply, limits, logger);
  });
  server.addHook('onRequest', async (request, reply) => {
    reply.headers(HEADERS);
    const { host, origin, authorization } = request.headers;
    checkOrigin(names, { host, origin, site: request.headers['sec-fetch-site'] as string | undefined });
    if (token !== undefined && isApi(request)) checkToken(token, authorization);
    if (request.routeOptions.config.queued !== true) return;
    const place = queue.enter();
    request.place = place;
    // At least one of the two comes, whether the answer was taken or not.
    let over = false;
    const end = () => {
      if (!over) place.release();
      over = true;
    };
    reply.raw.once('finish', end).once('close', end);
  });
  server.addHook('preValidation', async (request) => {
    if (!request.isMultipart()) return;
    const { fields, upload } = await readForm(request);
    request.body = fields;
    request.upload = upload;
  });
  server.addHook('onResponse', async (request, { statusCode, elapsedTime }) => {
    // The pattern of the route and not the address, which may hold anything.
    if (isApi(request))
      logger.info(`${request.method} ${request.routeOptions.url ?? '?'} ${statusCode} ${elapsedTime.toFixed(0)} ms`);
  });
  server.addHook('onClose', () => engine.close());
  await server.register(multipart, {
    limits: { fileSize: limits.uploadBytes, files: 2, fields: 100, fieldSize: MARGIN_BYTES, parts: 102 },
  });
  await server.register(swagger, openApiOptions(version, token !== undefined));
  await server.register(async (scope) => addRoutes(scope, { engine, queue, limits, version }));
  server.get('/openapi.json', { schema: { hide: true } }, async () => server.swagger());
  await addPage(server);
  return server;
}

/** The page itself is no secret; what it asks for is. */
function isApi({ url }: FastifyRequest): boolean {
  return url.startsWith('/v1/') || url.startsWith('/openapi.json');
}

/** Two folders: what is written by hand, and what is compiled. Also when this module runs from its source. */
async function addPage(server: FastifyInstance): Promise<void> {
  const top = import.meta.url.replace(/\/(src|dist)\/serve\/[^/]*$/, '/');
  const folder = (path: string) => fileURLToPath(new URL(path, top));
  await server.register(files, { root: folder('web/'), prefix: '/', wildcard: false, cacheControl: false });
  const options = { prefix: '/serve/page/', decorateReply: false, wildcard: false, cacheControl: false } as const;
  await server.register(files, { root: folder('dist/serve/page/'), ...options });
  for (const name of ['rle.js', 'palette.js'])
    server.get(`/processing/${name}`, { schema: { hide: true } }, (_request, reply) =>
      reply.sendFile(name, folder('dist/processing/')),
    );
}
