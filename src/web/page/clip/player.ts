/** Playback of a clip whose file states no rate, in seconds a frame. */
const DEFAULT_SECONDS = 0.04;

/** A faster rate is not to be seen. */
const LEAST_SECONDS = 0.02;

interface Playback {
  /** Shows the next frame; settles when it is to be seen. */
  readonly next: () => Promise<void>;
  readonly changed: (playing: boolean) => void;
  /** A frame cannot be shown; playback has stopped. */
  readonly failed: (error: unknown) => void;
}

/** Shows frame after frame at the clip's rate, or as fast as they are loaded, until it is stopped. */
export class Player {
  /** Of a frame. */
  seconds: number | undefined;
  private readonly playback: Playback;
  /** Counts the starts and stops. */
  private run = 0;
  private playing = false;

  constructor(playback: Playback) {
    this.playback = playback;
  }

  toggle(): void {
    if (this.playing) this.stop();
    else void this.start();
  }

  stop(): void {
    this.run += 1;
    if (this.playing) this.playback.changed(false);
    this.playing = false;
  }

  private async start(): Promise<void> {
    this.run += 1;
    const { run } = this;
    this.playing = true;
    this.playback.changed(true);
    const each = 1000 * Math.max(LEAST_SECONDS, this.seconds ?? DEFAULT_SECONDS);
    while (this.run === run) {
      const begin = performance.now();
      try {
        await this.playback.next();
      } catch (error) {
        if (this.run !== run) return;
        this.stop();
        return this.playback.failed(error);
      }
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, each - (performance.now() - begin))));
    }
  }
}
