import { join } from 'node:path';
import { type NamedArray, readJson, readSafetensors, writeSafetensors } from '../io/index.js';
import type { GroundingDinoConfig } from '../models/grounding-dino/index.js';
import { writeFileAtomic } from '../util/index.js';

const CONFIG = 'adapter_config.json';
const WEIGHTS = 'adapter_model.safetensors';
/** What PEFT puts before every key. */
const PREFIX = 'base_model.model.';

/**
 * Writes an adapter as `PeftModel.from_pretrained` reads it, which wants more than is needed here: every key with PEFT's prefix,
 * and box heads that are trained whole under each of the places where transformers has them.
 *
 * @param base - what the adapter says it belongs to, unless it says so itself.
 */
export async function writePeftFolder(
  from: string,
  to: string,
  base: string,
  { decoderBboxEmbedShare, decoderLayers }: Pick<GroundingDinoConfig, 'decoderBboxEmbedShare' | 'decoderLayers'>,
): Promise<void> {
  const { arrays } = await readSafetensors(join(from, WEIGHTS));
  const every = Array.from({ length: decoderLayers }, (_, i) => String(i));
  const layersOf = (layer: string) => (decoderBboxEmbedShare ? every : [layer]);
  const written = new Map<string, NamedArray>();
  for (const [key, array] of arrays) {
    const bare = key.startsWith(PREFIX) ? key.slice(PREFIX.length) : key;
    const [, layer, rest] = /^(?:model\.decoder\.)?bbox_embed\.(\d+)\.(.*)$/.exec(bare) ?? [];
    const names =
      layer === undefined
        ? [bare]
        : layersOf(layer).flatMap((i) => ['model.decoder.', ''].map((place) => `${place}bbox_embed.${i}.${rest}`));
    for (const name of names) written.set(PREFIX + name, array);
  }
  await writeSafetensors(join(to, WEIGHTS), written, { metadata: { format: 'pt' } });
  const config = (await readJson(join(from, CONFIG))) as Record<string, unknown>;
  const whole = (config['modules_to_save'] as string[] | null | undefined)?.flatMap((path) => {
    const [, layer] = /^(?:model\.decoder\.)?bbox_embed\.(\d+)$/.exec(path) ?? [];
    return layer === undefined ? [path] : layersOf(layer).map((i) => `bbox_embed.${i}`);
  });
  const named = {
    ...config,
    base_model_name_or_path: config['base_model_name_or_path'] ?? base,
    modules_to_save: whole === undefined ? null : [...new Set(whole)],
  };
  await writeFileAtomic(join(to, CONFIG), `${JSON.stringify(named, null, 2)}\n`);
}
