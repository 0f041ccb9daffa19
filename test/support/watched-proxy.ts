import { createServer, request as forward, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { bodyOf, filesIn } from './fake-archive.js';

/** When a request is seen: as it arrives, or once the archive has answered it and the client does not know yet. */
export type Moment = 'asked' | 'answered';

/** Stands between a client and an archive, to interrupt the client at chosen moments. */
export class WatchedProxy {
  /** Files of each request to store that has reached the archive. */
  readonly stored: Buffer[][] = [];
  /** Called at each moment; the request or answer goes on when it is done. */
  watch: (moment: Moment, method: string, path: string) => Promise<void> = async () => {};
  private readonly server: Server;

  private constructor(private readonly target: URL) {
    this.server = createServer(async (incoming, outgoing) => {
      const { method = 'GET', url = '/', headers } = incoming;
      const body = await bodyOf(incoming);
      await this.watch('asked', method, url);
      // Whoever is gone has not asked.
      if (outgoing.destroyed) return;
      if (method === 'POST') this.stored.push(filesIn(body, headers['content-type'] ?? ''));
      const onward = forward(
        { host: this.target.hostname, port: this.target.port, method, path: url, headers },
        async (answer) => {
          const bytes = await bodyOf(answer);
          await this.watch('answered', method, url);
          outgoing.writeHead(answer.statusCode ?? 500, answer.headers).end(bytes);
        },
      );
      onward.end(body);
    });
  }

  static async start(target: string): Promise<WatchedProxy> {
    const proxy = new WatchedProxy(new URL(target));
    await new Promise<void>((resolve) => proxy.server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get address(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}${this.target.pathname}`;
  }

  /** Breaks all connections of the client. */
  drop(): void {
    this.server.closeAllConnections();
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}
