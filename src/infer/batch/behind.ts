/** Runs one task in the background. */
export class Behind {
  private task: Promise<void> = Promise.resolve();
  private error: unknown;

  /** Waits for the previous task, rethrows its error, and starts the next one. */
  async run(body: () => Promise<void>): Promise<void> {
    await this.settled();
    this.check();
    this.task = body().catch((error: unknown) => {
      this.error = error;
    });
  }

  settled(): Promise<void> {
    return this.task;
  }

  check(): void {
    if (this.error !== undefined) throw this.error;
  }
}
