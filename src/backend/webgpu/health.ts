import { RuntimeError } from '../../util/index.js';

/** What is told to somebody whose device failed. */
export interface DeviceAdvice {
  /** What to take in its place. */
  readonly instead: string;
  /** How to go on when it was lost. */
  readonly again: string;
}

/**
 * What went wrong on a device. WebGPU tells it apart from the calls that caused it, and goes on with zeros: it is kept here and
 * thrown at the next chance.
 */
export class DeviceHealth {
  /** Settles, by rejecting, when the device is lost. */
  readonly lost: Promise<never>;
  private problem: RuntimeError | undefined;

  constructor(device: GPUDevice, { instead, again }: DeviceAdvice) {
    device.addEventListener('uncapturederror', (event) => {
      event.preventDefault(); // or Dawn prints it
      const { error } = event as GPUUncapturedErrorEvent;
      const memory = error.constructor.name === 'GPUOutOfMemoryError';
      this.problem ??= new RuntimeError({
        where: 'backend webgpu',
        what: memory ? 'the GPU has no memory left' : shortened(error.message),
        fix: memory ? `Lower the batch or image size, or take ${instead}` : `Take ${instead}, and report this`,
      });
    });
    this.lost = device.lost.then(({ reason, message }) => {
      this.problem = new RuntimeError({
        where: 'backend webgpu',
        what: `the device was lost (${[reason, shortened(message)].filter((part) => part !== '' && part !== undefined).join(': ')})`,
        fix: `${again}. If it comes back, take ${instead}`,
      });
      throw this.problem;
    });
    this.lost.catch(() => {}); // it is for those who wait
  }

  /** @throws RuntimeError with what went wrong before, if anything did. */
  check(): void {
    if (this.problem !== undefined) throw this.problem;
  }
}

/** Dawn writes several lines, the last ones of which name the program. */
function shortened(message: string): string {
  const line = message.trim().replace(/\s+/g, ' ');
  return line.length <= LONGEST ? line : `${line.slice(0, LONGEST)}…`;
}

const LONGEST = 400;
