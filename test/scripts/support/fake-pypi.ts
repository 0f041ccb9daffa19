import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A package index over HTTP that has one wheel, understands ranges, and can break off. */
export class FakePypi {
  /** The `Range` header of each request for the file. */
  readonly ranges: (string | undefined)[] = [];
  /** How the next answers end: whole if the list is empty. */
  readonly faults: ('break' | 'stall')[] = [];
  private readonly server: Server;

  constructor(file: string, wheel: Buffer) {
    this.server = createServer((request, response) => {
      if (request.url?.endsWith('/json')) {
        // What the index says of a file's content does not count.
        const sha256 = createHash('sha256').update(wheel).digest('hex');
        const entry = { filename: file, url: `${this.origin}/${file}`, size: wheel.length, digests: { sha256 } };
        response.end(JSON.stringify({ urls: [{ ...entry, filename: `other-${file}` }, entry] }));
        return;
      }
      const { range } = request.headers;
      this.ranges.push(range);
      const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
      response.writeHead(from > 0 ? 206 : 200, { 'content-length': wheel.length - from });
      const fault = this.faults.shift();
      if (fault === undefined) response.end(wheel.subarray(from));
      else
        response.write(
          wheel.subarray(from, (from + wheel.length) / 2),
          () => fault === 'break' && setTimeout(() => response.destroy(), 50),
        );
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `${this.origin}/pypi`;
  }

  private get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}
