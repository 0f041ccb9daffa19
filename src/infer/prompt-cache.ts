import { tf } from '../backend/index.js';
import type { EncodedText, GroundingDino } from '../models/grounding-dino/index.js';
import { inference } from '../nn/index.js';
import { collateText } from '../processing/index.js';
import type { EncodedPrompt } from '../prompts/index.js';

/** How many prompts stay encoded: a quarter of a megabyte each at the published size. */
const CAPACITY = 32;

/** Keeps what a detector makes of prompts, so that many images cost one pass of the text encoder. It owns what it hands out. */
export class PromptCache {
  private readonly model: GroundingDino;
  /** Least recently used first. */
  private readonly entries = new Map<string, EncodedText>();

  constructor(model: GroundingDino) {
    this.model = model;
  }

  /** The prompt's features; they stay valid until `CAPACITY` other prompts were asked for. */
  encode(prompt: EncodedPrompt): EncodedText {
    const key = prompt.inputIds.join();
    const text = this.entries.get(key) ?? this.compute(prompt);
    this.entries.delete(key);
    this.entries.set(key, text);
    for (const [oldest, unused] of this.entries) {
      if (this.entries.size <= CAPACITY) break;
      release(unused);
      this.entries.delete(oldest);
    }
    return text;
  }

  private compute(prompt: EncodedPrompt): EncodedText {
    const batch = collateText([prompt]);
    const text = this.model.encodeText(batch, inference);
    tf.dispose({ ...batch });
    return text;
  }

  dispose(): void {
    for (const text of this.entries.values()) release(text);
    this.entries.clear();
  }
}

function release(text: EncodedText): void {
  tf.dispose(text as unknown as tf.TensorContainer);
}
