import { Readable } from 'node:stream';
import multipart from '@fastify/multipart';
import swagger from '@fastify/swagger';
import { serializerCompiler, validatorCompiler } from '@fastify/type-provider-zod';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { type Logger, silentLogger } from '../util/index.js';
import { logWhenOver } from './access-log.js';
import { answerError } from './answer-errors.js';
import { ByteBudget, guardBody, type Share } from './arrival/index.js';
import { corsHeaders, preflightHeaders, tokenFromPath } from './cors.js';
import type { Engine } from './engine/index.js';
import { checkRequest, hasBody } from './gate.js';
import { goingDown } from './http-error.js';
import { type BoundedServer, boundedServer } from './http-server.js';
import { bodyBytes, defaultLimits, MARGIN_BYTES, type ServeLimits } from './limits.js';
import { openApiOptions } from './openapi.js';
import { addPage } from './page-files.js';
import { pageHeaders } from './page-headers.js';
import { Queue } from './queue.js';
import { readForm, type Upload } from './read-form.js';
import { addRoutes } from './routes.js';
import type { ViewerOptions } from './viewers/index.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * Whether the route is public: no token required, cross-site links allowed. Default: false; only the page's own files are.
     */
    open?: boolean;
    /** Whether the route runs a job, and so needs a place in the queue. */
    queued?: boolean;
    /** For a route that only refuses: the methods supported on its path. */
    allow?: string;
    /** Fields of a form that may hold its file. Default: `image`. */
    files?: readonly string[];
  }
  interface FastifyRequest {
    /** The file uploaded with a form. */
    upload: Upload | undefined;
    /** The request's share of the memory budget. */
    share: Share;
  }
}

export interface ServerOptions {
  /** Closed together with the server. */
  readonly engine: Engine;
  readonly limits?: Partial<ServeLimits>;
  /** Token that requests must carry, except for the page's own files; none if undefined. */
  readonly token?: string | undefined;
  /** Host names of the server, besides `localhost` and the machine's own. */
  readonly names?: readonly string[];
  /** Origins of other pages that may use the server: `https://viewer.example.org`. They need the token. Default: none. */
  readonly origins?: readonly string[];
  /** What viewers are offered. Default: images that they send, and the phrase `lesion`. */
  readonly viewers?: ViewerOptions;
  readonly version?: string;
  /** Logs method, route, status and time of each request; never its content, a file name or a token. */
  readonly logger?: Logger;
}

/**
 * Creates the web server: the page, the REST API below `/v1`, and `/openapi.json`. It does not listen yet.
 *
 * @example
 * const server = await createServer({ engine: await ProcessEngine.start({ models: {}, backend: 'auto', limits: defaultLimits }) });
 * await server.listen({ host: '127.0.0.1', port: 8080 });
 */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const {
    engine,
    token,
    names = [],
    origins = [],
    viewers = { prompt: 'lesion' },
    version = '0',
    logger = silentLogger,
  } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const queue = new Queue(engine, limits);
  const budget = new ByteBudget(Math.max(limits.heldBytes, bodyBytes(limits)));
  let bounded: BoundedServer | undefined;
  const closing = new AbortController();
  /** Aborts bodies in transfer. */
  const arriving = new Set<(error: unknown) => void>();
  const check = (request: FastifyRequest, reply: FastifyReply) => {
    reply.headers({ ...pageHeaders, ...corsHeaders(request, origins) });
    logWhenOver(request, reply, logger);
    if (closing.signal.aborted) throw goingDown();
    checkRequest(request, { names, token, origins, limits });
  };
  const server = fastify({
    logger: false,
    bodyLimit: bodyBytes(limits),
    return503OnClosing: false,
    ...(origins.length > 0 && { rewriteUrl: tokenFromPath }),
    // Errors are handled by the server created here.
    clientErrorHandler: () => {},
    serverFactory: (listener) => {
      bounded = boundedServer(limits, listener, logger);
      return bounded.server;
    },
    // Malformed URLs run through no hook and are checked here instead.
    frameworkErrors: (error, request, reply) => {
      try {
        check(request, reply);
        answerError(error, reply, limits, logger);
      } catch (refusal) {
        answerError(refusal, reply, limits, logger);
      }
    },
  });
  // Cross-site pages may send text/plain without a preflight request.
  server.removeContentTypeParser('text/plain');
  server.decorateRequest('upload', undefined);
  server.decorateRequest('share');
  server.setValidatorCompiler(validatorCompiler);
  server.setSerializerCompiler(serializerCompiler);
  server.setErrorHandler((error, _request, reply) => answerError(error, reply, limits, logger));
  // Synchronous hooks call `done`, so that no byte of a body arrives in between.
  server.addHook('onRequest', (request, reply, done) => {
    request.share = budget.share();
    reply.raw.once('close', () => request.share.release());
    check(request, reply);
    const preflight = preflightHeaders(request, origins);
    if (preflight !== undefined) return void reply.code(204).headers(preflight).send();
    if (request.routeOptions.config.queued === true) queue.checkRoom();
    if (hasBody(request)) {
      budget.checkRoom(Number(request.headers['content-length'] ?? 0));
      const fail = (error: unknown) => {
        arriving.delete(fail);
        if (!reply.sent) reply.send(error);
      };
      arriving.add(fail);
      for (const over of ['end', 'close']) request.raw.once(over, () => arriving.delete(fail));
      guardBody(request.raw, { limits, most: bodyBytes(limits), take: (bytes) => request.share.take(bytes), fail });
    }
    done();
  });
  server.addHook('preValidation', async (request) => {
    if (!request.isMultipart()) return;
    const { fields, upload } = await readForm(request);
    request.body = fields;
    request.upload = upload;
  });
  server.addHook('onSend', (request, reply, payload, done) => {
    // A stream watches over its own delivery.
    if (payload instanceof Readable) return void done(null, payload);
    // A response that is not read is dropped after the timeout.
    const timer = setTimeout(() => reply.raw.destroy(), limits.timeoutMs).unref();
    reply.raw.once('close', () => clearTimeout(timer));
    // Error responses are small and must be sent even if memory is full.
    if (reply.statusCode < 400) request.share.take(lengthOf(payload));
    done(null, payload);
  });
  server.addHook('preClose', (done) => {
    closing.abort();
    for (const fail of arriving) fail(goingDown());
    bounded?.closeIdle();
    done();
  });
  server.addHook('onClose', () => engine.close());
  await server.register(multipart, {
    limits: { fileSize: limits.uploadBytes, files: 2, fields: 100, fieldSize: MARGIN_BYTES, parts: 102 },
  });
  await server.register(swagger, openApiOptions(version, token !== undefined));
  await server.register(async (scope) =>
    addRoutes(scope, { engine, queue, limits, version, closing: closing.signal, token, viewers }),
  );
  await server.register(addPage);
  return server;
}

function lengthOf(payload: unknown): number {
  return typeof payload === 'string' ? Buffer.byteLength(payload) : payload instanceof Uint8Array ? payload.length : 0;
}
