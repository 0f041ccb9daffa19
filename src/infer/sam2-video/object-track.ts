import type { tf } from '../../backend/index.js';
import type { BinaryMask } from '../../imaging/index.js';
import { packLogits, unpackLogits } from './pack-logits.js';

/** An object on a frame, without what the model remembers of it. */
export interface Sighting {
  /** [C]. */
  readonly pointer: Float32Array;
  /** [4h * 4w] row-major. */
  readonly logits: Float32Array;
  /** Predicted IoU. */
  readonly score: number;
  readonly objectLogit: number;
}

/** An object on a frame that the tracker reached. */
export interface TrackedSighting extends Sighting {
  /** [1, h * w, M] f32. */
  readonly map: tf.Tensor3D;
  /** Whether time ran backwards. */
  readonly backward: boolean;
}

/** An object on a frame where it was marked. */
export interface PromptedSighting extends TrackedSighting {
  /** Whether the frame had been tracked before, so that memories were used. */
  readonly corrected: boolean;
  /** The mask that was given. */
  readonly given?: BinaryMask | undefined;
}

/** A sighting out of the memory's window: enough to remember it again. */
interface FadedSighting extends Omit<Sighting, 'logits'> {
  readonly backward: boolean;
  readonly logits?: Float32Array;
  /** Instead of them, if it is long ago. */
  readonly packed?: Uint8Array;
}

/** How many of the latest masks a copy holds as they were: those that the model's window may ask for. */
const UNPACKED_IN_COPY = 8;

/** How many masks out of the window are held as they were, the latest: a quarter of a megabyte each at the published size. */
const UNPACKED = 32;

/**
 * All that is known of one object in a clip. On the device, it holds memories of the frames where the object was marked and of those in
 * the model's window; of all others only some kilobytes each on the host.
 */
export class ObjectTrack {
  readonly prompted = new Map<number, PromptedSighting>();
  private readonly recent = new Map<number, TrackedSighting>();
  private readonly faded = new Map<number, FadedSighting>();
  /** Frames among them whose masks are not packed yet, the earliest first. */
  private readonly unpacked = new Set<number>();
  private gone = false;

  /** Whether it was removed while something was computed for it. */
  get removed(): boolean {
    return this.gone;
  }

  /** Whether the tracker reached a frame. */
  reached(frame: number): boolean {
    return this.recent.has(frame) || this.faded.has(frame);
  }

  /** The pointer of a tracked frame. */
  pointerOf(frame: number): Float32Array | undefined {
    return (this.recent.get(frame) ?? this.faded.get(frame))?.pointer;
  }

  /** The memory of a tracked frame; undefined where it has faded or never was. */
  mapOf(frame: number): tf.Tensor3D | undefined {
    return this.recent.get(frame)?.map;
  }

  /** Whether time ran backwards when the tracker reached a frame. */
  wasBackward(frame: number): boolean {
    return (this.prompted.get(frame) ?? this.recent.get(frame) ?? this.faded.get(frame))?.backward ?? false;
  }

  /** Whether a tracked frame was in the window once. */
  hasFaded(frame: number): boolean {
    return this.faded.has(frame);
  }

  /** Logits of the mask on a frame, whichever way they are held. */
  async logitsOf(frame: number): Promise<Float32Array | undefined> {
    const held = this.prompted.get(frame) ?? this.recent.get(frame);
    if (held !== undefined) return held.logits;
    const faded = this.faded.get(frame);
    return faded && wholeOf(faded);
  }

  /** Brings a faded frame back into the window. */
  async restore(frame: number, memorise: (sighting: Sighting) => Promise<tf.Tensor3D>): Promise<void> {
    const faded = this.faded.get(frame);
    if (faded === undefined) return;
    const { packed: _, ...rest } = faded;
    const sighting = { ...rest, logits: await wholeOf(faded) };
    if (this.gone) return;
    const map = await memorise(sighting);
    if (this.gone) map.dispose();
    else this.track(frame, { ...sighting, map });
  }

  /** Takes over a frame's memory. */
  track(frame: number, sighting: TrackedSighting): void {
    this.recent.get(frame)?.map.dispose();
    this.faded.delete(frame);
    this.unpacked.delete(frame);
    this.recent.set(frame, sighting);
  }

  /** Takes over a frame's memory. The frame is no longer a tracked one. */
  mark(frame: number, sighting: PromptedSighting): void {
    this.prompted.get(frame)?.map.dispose();
    this.recent.get(frame)?.map.dispose();
    this.recent.delete(frame);
    this.faded.delete(frame);
    this.unpacked.delete(frame);
    this.prompted.set(frame, sighting);
  }

  /** Lets go of memories more than `reach` frames away. */
  async fade(frame: number, reach: number): Promise<void> {
    for (const [at, { map, ...rest }] of this.recent) {
      if (Math.abs(at - frame) <= reach) continue;
      map.dispose();
      this.recent.delete(at);
      this.faded.set(at, rest);
      this.unpacked.add(at);
    }
    await this.pack(UNPACKED);
  }

  /**
   * Copies what is known. Memories of marked frames are shared; those in the window are not held, but made again when they are
   * needed, as for frames out of it.
   */
  async copy(): Promise<ObjectTrack> {
    const copy = new ObjectTrack();
    for (const [frame, sighting] of this.prompted) copy.prompted.set(frame, { ...sighting, map: sighting.map.clone() });
    for (const [frame, sighting] of this.faded) copy.faded.set(frame, sighting);
    for (const frame of this.unpacked) copy.unpacked.add(frame);
    for (const [frame, { map: _, ...rest }] of this.recent) {
      copy.faded.set(frame, rest);
      copy.unpacked.add(frame);
    }
    await copy.pack(UNPACKED_IN_COPY);
    return copy;
  }

  /** Packs all but the latest masks out of the window. */
  private async pack(latest: number): Promise<void> {
    for (const at of [...this.unpacked].slice(0, -latest)) {
      this.unpacked.delete(at);
      const { logits, ...rest } = this.faded.get(at) ?? {};
      if (logits !== undefined) this.faded.set(at, { ...(rest as FadedSighting), packed: await packLogits(logits) });
    }
  }

  dispose(): void {
    this.gone = true;
    for (const { map } of [...this.prompted.values(), ...this.recent.values()]) map.dispose();
    this.prompted.clear();
    this.recent.clear();
    this.faded.clear();
    this.unpacked.clear();
  }
}

async function wholeOf({ logits, packed }: FadedSighting): Promise<Float32Array> {
  return logits ?? unpackLogits(packed ?? new Uint8Array());
}
