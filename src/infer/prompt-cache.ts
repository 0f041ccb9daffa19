import { tf } from '../backend/index.js';
import type { EncodedText, GroundingDino } from '../models/grounding-dino/index.js';
import { type InferencePasses, inference } from '../nn/index.js';
import { collateText } from '../processing/index.js';
import type { EncodedPrompt } from '../prompts/index.js';

/** Number of cached prompts: 250 KB each at the published size. */
const CAPACITY = 32;

/** Caches encoded prompts, so that the text encoder runs once for many images. Owns the tensors that it returns. */
export class PromptCache {
  private readonly model: GroundingDino;
  private readonly passes: InferencePasses;
  /** Least recently used first. */
  private readonly entries = new Map<string, EncodedText>();

  constructor(model: GroundingDino, passes: InferencePasses) {
    this.model = model;
    this.passes = passes;
  }

  /** The prompt's features; valid until `CAPACITY` other prompts were requested. */
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
    const text = this.passes.run('text', { ...batch }, (given) => this.model.encodeText(given, inference));
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
