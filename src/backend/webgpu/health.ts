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
  private gone = false;

  constructor(device: GPUDevice, { instead, again }: DeviceAdvice) {
    device.addEventListener('uncapturederror', (event) => {
      event.preventDefault(); // or Dawn prints it
      const { error } = event as GPUUncapturedErrorEvent;
      const memory = error.constructor.name === 'GPUOutOfMemoryError';
      this.problem ??= new RuntimeError({
        code: memory ? 'E_OUT_OF_MEMORY' : 'E_BACKEND_FAILED',
        where: 'backend webgpu',
        what: memory ? 'the GPU has no memory left' : shortened(error.message),
        fix: memory ? `Lower the batch or image size, or take ${instead}` : `Take ${instead}, and report this`,
      });
    });
    this.lost = device.lost.then(({ reason, message }) => {
      this.gone = true;
      this.problem = new RuntimeError({
        code: 'E_DEVICE_LOST',
        where: 'backend webgpu',
        what: `the device was lost (${[reason, shortened(message)].filter((part) => part !== '' && part !== undefined).join(': ')})`,
        fix: `${again}. If it comes back, take ${instead}`,
      });
      throw this.problem;
    });
    this.lost.catch(() => {}); // it is for those who wait
  }

  /** Whether the device will not compute again. */
  get isLost(): boolean {
    return this.gone;
  }

  /** @throws RuntimeError with what went wrong before, if anything did. */
  check(): void {
    if (this.problem !== undefined) throw this.problem;
  }

  /**
   * What a call failed of: calls to a lost device fail in words of their own, some of them before the loss is told.
   *
   * @returns the problem, or the error itself where none comes to be known.
   */
  async reasonOf(error: unknown): Promise<unknown> {
    const nothing = new Promise<void>((resolve) => setTimeout(resolve, PATIENCE_MS));
    await Promise.race([nothing, this.lost]).catch(() => {});
    return this.problem ?? error;
  }
}

/** Within which a loss is told to those whose calls failed of it. */
const PATIENCE_MS = 500;

/** Dawn writes several lines, the last ones of which name the program. */
function shortened(message: string): string {
  const line = message.trim().replace(/\s+/g, ' ');
  return line.length <= LONGEST ? line : `${line.slice(0, LONGEST)}…`;
}

const LONGEST = 400;
