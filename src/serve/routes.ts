import type { ZodTypeProvider } from '@fastify/type-provider-zod';
import type { FastifyInstance } from 'fastify';
import { addClipRoutes } from './clips/index.js';
import type { Engine } from './engine/index.js';
import { addImageRoutes } from './images/index.js';
import type { ServeLimits } from './limits.js';
import type { Queue } from './queue.js';
import { ERRORS, healthAnswer } from './schemas.js';
import { addViewerRoutes, type ViewerOptions } from './viewers/index.js';

export interface RouteParts {
  readonly engine: Engine;
  readonly queue: Queue;
  readonly limits: ServeLimits;
  readonly version: string;
  /** Aborted when the server is going down. */
  readonly closing: AbortSignal;
  readonly token: string | undefined;
  readonly viewers: ViewerOptions;
}

/** Registers the REST API and its description. */
export function addRoutes(
  server: FastifyInstance,
  { engine, queue, limits, version, closing, token, viewers }: RouteParts,
): void {
  const api = server.withTypeProvider<ZodTypeProvider>();
  const methods = new Map<string, string[]>();
  api.addHook('onRoute', ({ url, method }) => void methods.set(url, [...(methods.get(url) ?? []), method].flat()));

  api.get('/openapi.json', { schema: { hide: true } }, async () => server.swagger());

  api.get(
    '/v1/health',
    { schema: { summary: 'Reports whether the server is up, and its models', response: { 200: healthAnswer, ...ERRORS } } },
    async () => {
      const { uploadBytes: upload_bytes, pixels, waiting, timeoutMs: timeout_ms } = limits;
      const status = 'ok' as const;
      return { status, version, ...engine.facts, requests: queue.length, limits: { upload_bytes, pixels, waiting, timeout_ms } };
    },
  );

  addImageRoutes(api, queue);
  addClipRoutes(api, { queue, limits, closing });
  addViewerRoutes(api, { ...viewers, queue, limits, version, token });

  for (const [url, own] of [...methods]) refuseOthers(server, url, own);
}

/** Responds to unsupported methods with the supported ones. */
function refuseOthers(server: FastifyInstance, url: string, own: readonly string[]): void {
  const method = server.supportedMethods.filter((name) => !own.includes(name));
  // The request hook refuses all of them.
  server.route({ method, url, config: { allow: own.join(', ') }, schema: { hide: true }, handler: () => {} });
}
