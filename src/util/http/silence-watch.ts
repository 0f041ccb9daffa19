/** Aborts a request after a period without data. */
export class SilenceWatch {
  private readonly controller = new AbortController();
  private timer: ReturnType<typeof setTimeout> | undefined;
  constructor(private readonly ms: number) {}

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  heard(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.controller.abort(new DOMException('no answer', 'TimeoutError')), this.ms);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.controller.abort();
  }
}
