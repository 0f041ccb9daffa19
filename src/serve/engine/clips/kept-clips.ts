import type { OpenedClip } from '../../../imaging/index.js';
import type { ClipSession, SessionState } from '../../../infer/index.js';
import { HttpError } from '../../http-error.js';
import type { ServeLimits } from '../../limits.js';
import { randomName } from '../random-name.js';

/** A clip that somebody works on. */
export interface KeptClip {
  readonly id: string;
  readonly clip: OpenedClip;
  readonly session: ClipSession;
  /** SOP Instance UID; undefined for other formats than DICOM. */
  readonly instance: string | undefined;
  /** What was known before each of the latest changes. */
  readonly before: SessionState[];
}

/**
 * The clips that are worked on, in memory only. Ids are unguessable, so that only the uploader can use a clip. Those that were not
 * used for a while are closed, and the one that was not used for the longest time when there are too many.
 */
export class KeptClips {
  private readonly most: number;
  private readonly idleMs: number;
  private readonly now: () => number;
  private readonly kept = new Map<string, { readonly clip: KeptClip; usedMs: number }>();

  constructor({ keptClips, clipIdleMs }: Pick<ServeLimits, 'keptClips' | 'clipIdleMs'>, now: () => number) {
    this.most = Math.max(1, keptClips);
    this.idleMs = clipIdleMs;
    this.now = now;
  }

  get size(): number {
    return this.kept.size;
  }

  async add(clip: OpenedClip, session: ClipSession, instance?: string): Promise<KeptClip> {
    const kept = { id: randomName(), clip, session, instance, before: [] };
    this.kept.set(kept.id, { clip: kept, usedMs: this.now() });
    while (this.kept.size > this.most) await this.close([...this.kept.keys()][0] as string);
    return kept;
  }

  /** @throws HttpError 404 when it was closed or never existed. */
  get(id: string): KeptClip {
    const entry = this.kept.get(id);
    if (entry === undefined)
      throw new HttpError({
        code: 'E_HTTP_CLIP_GONE',
        status: 404,
        where: 'clip',
        what: 'this clip is not kept in memory, or no longer',
        fix: 'Send it again',
      });
    // Reinsertion makes it the most recently used.
    this.kept.delete(id);
    this.kept.set(id, { clip: entry.clip, usedMs: this.now() });
    return entry.clip;
  }

  /** Closes what was not used for a while. */
  async sweep(): Promise<void> {
    for (const [id, { usedMs }] of [...this.kept]) if (this.now() - usedMs >= this.idleMs) await this.close(id);
  }

  async close(id: string): Promise<void> {
    const entry = this.kept.get(id);
    if (entry === undefined) return;
    this.kept.delete(id);
    const { clip, session, before } = entry.clip;
    for (const state of before) state.dispose();
    session.dispose();
    await clip.close();
  }

  async closeAll(): Promise<void> {
    for (const id of [...this.kept.keys()]) await this.close(id);
  }
}
