import type { IncomingMessage, ServerResponse } from 'node:http';
import { LocalServers, sendFile } from './local-servers.js';

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
  private readonly servers = new LocalServers();

  async start(): Promise<this> {
    await this.servers.start(
      (['front', 'storage'] as const).map(
        (host) => (request: IncomingMessage, response: ServerResponse) => this.answer(host, request, response),
      ),
    );
    return this;
  }

  stop(): void {
    this.servers.stop();
  }

  get origin(): string {
    return this.servers.originOf(0);
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
      response.writeHead(302, { location: `${this.servers.originOf(1)}${path}` }).end();
      return;
    }
    const fault = this.faults.shift();
    if (fault !== undefined) {
      fault(request, response, content);
      return;
    }
    sendFile(request, response, content, { 'content-type': 'application/octet-stream' });
  }
}
