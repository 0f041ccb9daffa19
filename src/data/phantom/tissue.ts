import type { Rng } from '../../util/index.js';
import { type Field, field, smoothNoise } from './fields.js';
import { draw } from './structures.js';

/** Background tissue: levels in dB, and attenuation in dB per pixel. */
export interface Tissue {
  readonly level: Field;
  readonly attenuation: Field;
  /** 1 where the beam is lost and nothing is visible. */
  readonly lost: Uint8Array;
}

/** Tissue layers with wavy borders, bright septa between and along them, and slow variation within. */
export function layeredTissue(width: number, height: number, rng: Rng): Tissue {
  const level = field(width, height);
  const attenuation = field(width, height);
  const lost = new Uint8Array(width * height);
  const unit = height / 128;
  const waviness = smoothNoise(width, 1, width / rng.uniform(1.5, 4), 1, rng);
  const ripple = smoothNoise(width, height, 22 * unit, 14 * unit, rng);
  const mottle = smoothNoise(width, height, rng.uniform(6, 20) * unit, rng.uniform(3, 8) * unit, rng);
  const layers = drawLayers(height, rng);
  const septa = rng.uniform(0, 1) ** 0.6;
  const period = rng.uniform(5, 13) * unit;
  const swell = rng.uniform(0, 7) * unit;
  const roughness = rng.uniform(1, 4) * unit;
  const mottling = rng.uniform(0.5, 3.5);
  for (let x = 0; x < width; x++) {
    const offset = swell * (waviness.data[x] as number);
    for (let y = 0; y < height; y++) {
      const i = y * width + x;
      const depth = y + offset * Math.min(1, y / (12 * unit)) + roughness * (ripple.data[i] as number);
      const layer = layers.find(({ bottom }) => depth < bottom) ?? (layers.at(-1) as Layer);
      const nearBorder = Math.exp(-(((layer.bottom - depth) / (1.1 * unit)) ** 2));
      const wave = Math.sin((2 * Math.PI * depth) / period + 2.2 * (ripple.data[i] as number));
      const septum = septa * layer.septa * Math.max(0, wave - 0.75) * 4;
      level.data[i] = layer.level + layer.interface * nearBorder + 11 * septum + mottling * (mottle.data[i] as number);
      attenuation.data[i] = layer.attenuation / unit;
      lost[i] = Number(layer.attenuation >= LOSING);
    }
  }
  return { level, attenuation, lost };
}

/** Attenuation in dB per pixel from which a layer absorbs the beam. */
const LOSING = 0.3;

interface Layer {
  readonly bottom: number;
  readonly level: number;
  readonly interface: number;
  readonly septa: number;
  readonly attenuation: number;
}

/** Skin, fat, gland, muscle and deep tissue, from top to bottom; some may be absent. */
function drawLayers(height: number, rng: Rng): Layer[] {
  const layers: Layer[] = [
    { bottom: height * rng.uniform(0, 0.06), level: rng.uniform(2, 9), interface: 0, septa: 0, attenuation: 0 },
  ];
  const add = (thickness: readonly [number, number], level: readonly [number, number], septa: number, chance: number): void => {
    if (!rng.chance(chance)) return;
    const above = (layers.at(-1) as Layer).bottom;
    layers.push({
      bottom: above + height * draw(thickness, rng),
      level: draw(level, rng),
      interface: rng.uniform(0, 10),
      septa,
      attenuation: rng.uniform(0, 0.04),
    });
  };
  add([0.05, 0.2], [-9, -1], 0.7, 0.75);
  add([0.25, 0.6], [-3, 5], 1, 0.95);
  add([0.1, 0.25], [-8, 1], 1, 0.7);
  // Bone or lung: the tissue below is almost lost.
  const below = rng.chance(0.3) ? 0.5 : rng.uniform(0, 0.1);
  layers.push({ bottom: Number.POSITIVE_INFINITY, level: rng.uniform(-10, 0), interface: 0, septa: 0.6, attenuation: below });
  return layers;
}
