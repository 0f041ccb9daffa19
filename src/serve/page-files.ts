import { fileURLToPath } from 'node:url';
import files from '@fastify/static';
import type { FastifyInstance } from 'fastify';

/**
 * Hands out the page: what is written by hand, what is compiled, and two modules that it shares. Each file is a route of its own,
 * made at the start, so no path leads elsewhere. All of it is open: the page is no secret; what it asks for is.
 */
export async function addPage(server: FastifyInstance): Promise<void> {
  server.addHook('onRoute', (route) => {
    route.config = { ...route.config, open: true };
  });
  // Also when this module runs from its source.
  const compiled = new URL('dist/', import.meta.url.replace(/\/(src|dist)\/serve\/[^/]*$/, '/'));
  const folder = (path: string) => fileURLToPath(new URL(path, compiled));
  const globIgnore = ['**/*.map', '**/*.d.ts'];
  const options = { wildcard: false, cacheControl: false, dotfiles: 'ignore', globIgnore } as const;
  await server.register(files, { ...options, root: folder('web/page/'), prefix: '/web/page/' });
  for (const [url, dir, name] of [
    ['/', 'web/', 'index.html'],
    ['/index.html', 'web/', 'index.html'],
    ['/style.css', 'web/', 'style.css'],
    ['/imaging/rle.js', 'imaging/', 'rle.js'],
    ['/imaging/palette.js', 'imaging/', 'palette.js'],
  ] as const)
    server.get(url, { schema: { hide: true } }, (_request, reply) => reply.sendFile(name, folder(dir)));
}
