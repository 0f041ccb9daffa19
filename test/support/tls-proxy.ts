import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request as forward } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** A certificate that nothing has signed but its own key, made for a test. */
export interface ThrowawayCertificate {
  readonly certFile: string;
  readonly keyFile: string;
}

/** @param altName - whom it is for: `IP:127.0.0.1`, `DNS:archive.example.org`. */
export function throwawayCertificate(folder: string, name: string, altName: string): ThrowawayCertificate {
  const [keyFile, certFile] = ['key', 'cert'].map((part) => join(folder, `${name}.${part}.pem`)) as [string, string];
  const files = ['-keyout', keyFile, '-out', certFile];
  const about = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=${altName}`, '-days', '2'];
  const { status, stderr } = spawnSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...files, ...about], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return { certFile, keyFile };
}

/** Speaks TLS in front of a server that does not. */
export class TlsProxy {
  private constructor(
    private readonly server: Server,
    private readonly path: string,
  ) {}

  static async start(target: string, { certFile, keyFile }: ThrowawayCertificate): Promise<TlsProxy> {
    const { hostname: host, port, pathname } = new URL(target);
    const server = createServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) }, (incoming, outgoing) => {
      const { method, url: path, headers } = incoming;
      const onward = forward({ host, port, method, path, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
      });
      onward.once('error', () => outgoing.destroy());
      incoming.pipe(onward);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new TlsProxy(server, pathname);
  }

  get address(): string {
    return `https://127.0.0.1:${(this.server.address() as AddressInfo).port}${this.path}`;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}
