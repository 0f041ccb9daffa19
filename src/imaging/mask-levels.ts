import type { ImageSamples, SampleValues } from './formats/samples.js';

/** A mask as it is stored, one number a pixel, row-major. */
export interface LevelMap {
  readonly width: number;
  readonly height: number;
  /** At the file's own depth. What is not a number stands for nothing. */
  readonly levels: SampleValues;
  /** Compression has changed the numbers. */
  readonly lossy: boolean;
  /** Its pixels are of several colours. */
  readonly coloured: boolean;
}

/**
 * The level of each pixel: its largest channel, whatever the colour that an object is drawn in. Where all pixels are of one
 * colour, transparency draws; where both vary, a colour counts as far as it is opaque.
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
    // Upwards: what is nearly transparent is not nothing.
    levels[i] = whole ? Math.ceil(shown) : shown;
  }
  return { width, height, levels, lossy, coloured: coloured && colours === 3 };
}

/** Whether any of the channels from `from` to `to` differs between pixels. */
function varies(values: SampleValues, channels: number, from: number, to: number): boolean {
  for (let at = 0; at < values.length; at += channels)
    for (let c = from; c < to; c++) if (values[at + c] !== values[c]) return true;
  return false;
}

/** The largest number of the last channel. */
function largest(values: SampleValues, channels: number): number {
  let most = 0;
  for (let at = channels - 1; at < values.length; at += channels) most = Math.max(most, values[at] as number);
  return most;
}
