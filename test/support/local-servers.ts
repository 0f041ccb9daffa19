import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** HTTP servers on free ports of this machine, started and stopped together. */
export class LocalServers {
  private readonly servers: Server[] = [];

  async start(listeners: readonly RequestListener[]): Promise<void> {
    for (const listener of listeners) {
      const server = createServer(listener);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      this.servers.push(server);
    }
  }

  stop(): void {
    for (const server of this.servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  }

  /** @param index - of the server's listener. */
  originOf(index: number): string {
    const address = this.servers[index]?.address() as AddressInfo | undefined;
    return `http://127.0.0.1:${address?.port}`;
  }
}

/** The byte that a request begins at. */
export function startOf(request: IncomingMessage): number {
  return Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
}

/** Sends what a request asks for: all of it, or from a byte on. @returns the number of bytes. */
export function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  content: Buffer,
  headers: Record<string, string> = {},
): number {
  const from = startOf(request);
  const rest = content.subarray(from);
  const range = { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` };
  response.writeHead(from > 0 ? 206 : 200, { 'content-length': rest.length, ...(from > 0 ? range : {}), ...headers });
  if (request.method === 'HEAD') {
    response.end();
    return 0;
  }
  response.end(rest);
  return rest.length;
}
