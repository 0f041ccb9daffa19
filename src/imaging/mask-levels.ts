import type { ImageSamples, SampleValues } from './formats/samples.js';

/** A mask as stored, one value per pixel, row-major. */
export interface LevelMap {
  readonly width: number;
  readonly height: number;
  /** At the file's own depth. NaN counts as 0. */
  readonly levels: SampleValues;
  /** Whether lossy compression has altered the values. */
  readonly lossy: boolean;
  /** Whether its pixels have several colours. */
  readonly coloured: boolean;
}

/**
 * The level of each pixel: its largest channel, whatever the colour of the objects. If all pixels have one colour, the level is
 * the opacity; if both vary, colours are scaled by opacity.
 */
export function levelsOf({ width, height, channels, values, lossy }: ImageSamples): LevelMap {
  const count = width * height;
  const colours = channels < 3 ? 1 : 3;
  if (channels === 1) return { width, height, levels: values, lossy, coloured: false };
  const alphaVaries = channels % 2 === 0 && varies(values, channels, channels - 1, channels);
  const coloured = varies(values, channels, 0, colours);
  const levels = values.slice(0, count);
  const opaque = largest(values, channels);
  const whole = !(values instanceof Float32Array || values instanceof Float64Array);
  for (let i = 0, at = 0; i < count; i++, at += channels) {
    const alpha = values[at + channels - 1] as number;
    if (alphaVaries && !coloured) {
      levels[i] = alpha;
      continue;
    }
    let level = values[at] as number;
    for (let c = 1; c < colours; c++) level = Math.max(level, values[at + c] as number);
    const shown = alphaVaries ? (level * alpha) / opaque : level;
    // Rounded up: almost transparent is not zero.
    levels[i] = whole ? Math.ceil(shown) : shown;
  }
  return { width, height, levels, lossy, coloured: coloured && colours === 3 };
}

/** Whether any of the channels from `from` to `to` varies across pixels. */
function varies(values: SampleValues, channels: number, from: number, to: number): boolean {
  for (let at = 0; at < values.length; at += channels)
    for (let c = from; c < to; c++) if (values[at + c] !== values[c]) return true;
  return false;
}

/** The maximum of the last channel. */
function largest(values: SampleValues, channels: number): number {
  let most = 0;
  for (let at = channels - 1; at < values.length; at += channels) most = Math.max(most, values[at] as number);
  return most;
}
