import { RuntimeError } from '../../util/index.js';

/** Advice in the error of a failed device. */
export interface DeviceAdvice {
  /** Alternative to the device. */
  readonly instead: string;
  /** How to continue after the device was lost. */
  readonly again: string;
}

/**
 * Collects device errors. WebGPU reports them separately from the calls that caused them, and continues with zeros: errors are
 * stored here and thrown at the next opportunity.
 */
export class DeviceHealth {
  /** Rejects when the device is lost. */
  readonly lost: Promise<never>;
  private problem: RuntimeError | undefined;
  private gone = false;

  constructor(device: GPUDevice, { instead, again }: DeviceAdvice) {
    device.addEventListener('uncapturederror', (event) => {
      event.preventDefault(); // prevents Dawn from printing it
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
    this.lost.catch(() => {}); // only handled by those who await it
  }

  /** Whether the device is permanently lost. */
  get isLost(): boolean {
    return this.gone;
  }

  /** @throws RuntimeError with earlier device errors, if any. */
  check(): void {
    if (this.problem !== undefined) throw this.problem;
  }

  /**
   * The cause of a failed call: calls to a lost device fail with unrelated messages, some of them before the loss is reported.
   *
   * @returns the device error, or the original error if none is reported.
   */
  async reasonOf(error: unknown): Promise<unknown> {
    const nothing = new Promise<void>((resolve) => setTimeout(resolve, PATIENCE_MS));
    await Promise.race([nothing, this.lost]).catch(() => {});
    return this.problem ?? error;
  }
}

/** Time limit for the report of a lost device after a failed call. */
const PATIENCE_MS = 500;

/** Dawn's message has several lines, the last of which name the program. */
function shortened(message: string): string {
  const line = message.trim().replace(/\s+/g, ' ');
  return line.length <= LONGEST ? line : `${line.slice(0, LONGEST)}…`;
}

const LONGEST = 400;
