import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { until } from './until.js';

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A client that sends bytes as they are, as no library would, and waits for what happens and never for a time. */
export class RawClient {
  readonly answers: RawAnswer[] = [];
  closed = false;
  /** Whether the server said that it has read the head, for those who `expect: 100-continue`. */
  continued = false;
  private readonly socket: Socket;
  private pieces: Buffer[] = [];
  private have = 0;
  /** Bytes without which nothing can be taken. */
  private need = 1;
  private readonly headOnly: boolean;

  /** @param headOnly - whether answers have no bodies, as those to HEAD. */
  static async open(address: string, headOnly = false): Promise<RawClient> {
    const { hostname, port } = new URL(address);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return new RawClient(socket, headOnly);
  }

  private constructor(socket: Socket, headOnly: boolean) {
    this.socket = socket;
    this.headOnly = headOnly;
    // What the server cuts is not an error here.
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
    });
    socket.on('data', (bytes) => {
      this.pieces.push(bytes);
      this.have += bytes.length;
      while (this.have >= this.need && this.take());
    });
  }

  private take(): boolean {
    const all = Buffer.concat(this.pieces);
    this.pieces = [all];
    const end = all.indexOf('\r\n\r\n');
    this.need = all.length + 1;
    if (end < 0) return false;
    const [first = '', ...lines] = all.subarray(0, end).toString('latin1').split('\r\n');
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    );
    const length = end + 4 + (this.headOnly ? 0 : Number(headers['content-length'] ?? 0));
    this.need = length;
    if (all.length < length) return false;
    const status = Number(first.split(' ')[1]);
    const body = all.subarray(end + 4, length).toString('utf8');
    this.pieces = [all.subarray(length)];
    this.have = all.length - length;
    this.need = 1;
    if (status === 100) this.continued = true;
    else this.answers.push({ status, headers, body });
    return true;
  }

  send(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Waits for answers, or for the end of the connection. */
  async wait(count = 1): Promise<readonly RawAnswer[]> {
    await until(() => this.answers.length >= count || this.closed);
    return this.answers;
  }

  async waitClosed(): Promise<void> {
    await until(() => this.closed);
  }

  /** Reads nothing any more. */
  stopReading(): void {
    this.socket.pause();
  }

  leave(): void {
    this.socket.destroy();
  }
}

/** Sends one piece of text on a connection of its own, and reads one answer. Undefined where the server hung up without one. */
export async function ask(address: string, text: string): Promise<RawAnswer | undefined> {
  const client = await RawClient.open(address, text.startsWith('HEAD'));
  client.send(text);
  const [answer] = await client.wait();
  client.leave();
  return answer;
}

/** A request without a body. */
export function head(method: string, target: string, headers: Readonly<Record<string, string>> = {}): string {
  const all = { host: 'localhost', ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`;
}
