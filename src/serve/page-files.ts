import { fileURLToPath } from 'node:url';
import files from '@fastify/static';
import type { FastifyInstance } from 'fastify';

/**
 * Serves the page: static files, compiled scripts, and four modules shared with the server. Each file has a route registered at
 * start, so no path can escape. The files are public; the API that they call is not.
 */
export async function addPage(server: FastifyInstance): Promise<void> {
  server.addHook('onRoute', (route) => {
    route.config = { ...route.config, open: true };
  });
  // Also when this module runs from source.
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
    ['/imaging/scale-bar.js', 'imaging/', 'scale-bar.js'],
    ['/util/counted.js', 'util/', 'counted.js'],
  ] as const)
    server.get(url, { schema: { hide: true } }, (_request, reply) => reply.sendFile(name, folder(dir)));
}
