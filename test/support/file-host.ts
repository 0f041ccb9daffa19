import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** GitHub's releases and Google Drive on this machine. GitHub sends on to a storage host, as it does. */
export class FileHost {
  /** By path and query. */
  readonly files = new Map<string, Buffer>();
  readonly requests: {
    readonly host: 'front' | 'storage';
    readonly path: string;
    readonly range: string | undefined;
    readonly authorization: string | undefined;
  }[] = [];
  /** For the next requests, in place of the right answer. */
  readonly faults: ((request: IncomingMessage, response: ServerResponse, content: Buffer) => void)[] = [];
  private readonly servers: Server[] = [];

  async start(): Promise<this> {
    for (const host of ['front', 'storage'] as const) {
      const server = createServer((request, response) => this.answer(host, request, response));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      this.servers.push(server);
    }
    return this;
  }

  stop(): void {
    for (const server of this.servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  }

  get origin(): string {
    return this.originOf(0);
  }

  private originOf(index: number): string {
    const { port } = (this.servers[index] as Server).address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  private answer(host: 'front' | 'storage', request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '';
    const { range, authorization } = request.headers;
    this.requests.push({ host, path, range, authorization });
    const content = this.files.get(path);
    if (content === undefined) {
      response.writeHead(404).end();
      return;
    }
    if (host === 'front' && path.includes('/releases/')) {
      response.writeHead(302, { location: `${this.originOf(1)}${path}` }).end();
      return;
    }
    const fault = this.faults.shift();
    if (fault !== undefined) {
      fault(request, response, content);
      return;
    }
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    const rest = content.subarray(from);
    const part = from > 0 ? { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` } : {};
    response
      .writeHead(from > 0 ? 206 : 200, { 'content-length': rest.length, 'content-type': 'application/octet-stream', ...part })
      .end(rest);
  }
}
