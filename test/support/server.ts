import { defaultLimits, type Engine, type EngineFacts, type ServeLimits } from '../../src/serve/index.js';
import { until } from './until.js';

/** A server's limits, but for time: the machine may be as slow as it likes. */
export const patientLimits: ServeLimits = { ...defaultLimits, timeoutMs: 900_000 };

/** What {@link HeldEngine} says that it runs on. */
const FACTS: EngineFacts = {
  backend: 'cpu',
  detector: 'd',
  masker: 'm',
  adapter: null,
  points: true,
  exemplars: null,
  clips: null,
};

/** An engine whose jobs last as long as the test wants, to see what happens to those who wait. */
export class HeldEngine implements Engine {
  readonly facts = FACTS;
  private readonly begun: (() => void)[] = [];
  started = 0;
  closed = false;
  /** Whether each job is done as soon as it begins. */
  atOnce = false;

  run(): Promise<never> {
    this.started += 1;
    return new Promise((resolve) => {
      this.begun.push(() => resolve({ id: '0'.repeat(32), width: 1, height: 1, spacing_mm: null, frames: FRAMES } as never));
      if (this.atOnce) this.finish();
    });
  }

  /** Waits until so many jobs have begun. */
  begins(count: number): Promise<void> {
    return until(() => this.started >= count);
  }

  /** Lets the job under way be done. */
  finish(): void {
    this.begun.shift()?.();
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

const FRAMES = { kind: 'image', count: 1, per_frame: 1, address: '0' };

/** A form as browsers send it. */
export function form(fields: readonly (readonly [name: string, value: string | Uint8Array])[]) {
  const edge = 'edge-of-the-parts';
  const parts = fields.flatMap(([name, value]) => [
    `--${edge}\r\ncontent-disposition: form-data; name="${name}"${typeof value === 'string' ? '' : '; filename="scan.png"'}\r\n\r\n`,
    value,
    '\r\n',
  ]);
  const payload = Buffer.concat(
    [...parts, `--${edge}--\r\n`].map((part) => (typeof part === 'string' ? Buffer.from(part) : part)),
  );
  return { payload, headers: { 'content-type': `multipart/form-data; boundary=${edge}` } };
}
