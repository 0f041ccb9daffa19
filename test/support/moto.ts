import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { until } from './until.js';

/** The program: Python's `pip install 'moto[server]'` installs it. */
const program = process.env['SONOGROUND_MOTO_SERVER'] || 'moto_server';

/** Why tests against moto are skipped; undefined where it is installed. */
export const motoMissing =
  spawnSync(program, ['--help'], { stdio: 'ignore' }).status === 0
    ? undefined
    : "there is no moto_server; pip install 'moto[server]', or set SONOGROUND_MOTO_SERVER";

/** A store by moto, an independent implementation of S3, on a free port of this machine. */
export class Moto {
  private constructor(
    private readonly child: ChildProcess,
    readonly endpoint: string,
  ) {}

  static async start(): Promise<Moto> {
    const port = await freePort();
    const child = spawn(program, ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
    const endpoint = `http://127.0.0.1:${port}`;
    await until(() =>
      fetch(endpoint).then(
        () => true,
        () => false,
      ),
    );
    return new Moto(child, endpoint);
  }

  async stop(): Promise<void> {
    const over = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill();
    await over;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
