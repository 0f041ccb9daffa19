import { type ClipActions, isGone, type OpenClip } from './open-clip.js';
import { Player } from './player.js';

/** The current frame of a clip: seeking, stepping and playback. */
export class ClipFrames {
  private readonly actions: ClipActions;
  private readonly player: Player;
  private frame = 0;

  constructor(actions: ClipActions) {
    this.actions = actions;
    this.player = new Player({
      next: () => this.show(actions.current === undefined ? 0 : (this.frame + 1) % actions.current.opened.frames),
      changed: (playing) => actions.view.showPlaying(playing),
      failed: (error) => this.failed(error),
    });
  }

  get current(): number {
    return this.frame;
  }

  /** Shows the first frame of a clip that was opened. */
  async start({ opened }: OpenClip): Promise<void> {
    this.player.seconds = opened.frame_seconds ?? undefined;
    await this.show(0);
  }

  /** Starts or stops playback. */
  toggle(): void {
    this.player.toggle();
  }

  /** Stops playback. */
  stop(): void {
    this.player.stop();
  }

  seek(frame: number): void {
    this.player.stop();
    void this.show(frame).catch((error: unknown) => this.failed(error));
  }

  step(by: number): void {
    this.seek(Math.max(0, Math.min(this.last, this.frame + by)));
  }

  /** The number of the last frame. */
  get last(): number {
    return (this.actions.current?.opened.frames ?? 1) - 1;
  }

  /** Shows a frame once it is loaded. */
  private async show(frame: number): Promise<void> {
    const { actions } = this;
    const { current } = actions;
    if (current === undefined) return;
    const before = this.frame;
    this.frame = frame;
    actions.refresh();
    try {
      await current.cache.get(frame);
    } catch (error) {
      if (current.open.signal.aborted) return;
      throw error;
    }
    if (actions.current !== current || this.frame !== frame) return;
    actions.view.draw(current, frame);
    const by = frame < before ? -1 : 1;
    const { frames } = current.opened;
    current.cache.prepare([1, 2].map((ahead) => (frame + by * ahead + frames) % frames));
  }

  /** A frame could not be shown. */
  private failed(error: unknown): void {
    const { tasks, view } = this.actions;
    if (isGone(error))
      void this.actions.work('Reading the clip', async (clip) => {
        await clip.cache.get(this.frame);
        view.draw(clip, this.frame);
        return '';
      });
    else tasks.say(error instanceof Error ? error.message : String(error), true);
  }
}
