import type { BinaryMask } from '../../imaging/index.js';
import type { Rng } from '../../util/index.js';
import type { PhantomDomain } from './domains.js';
import { smoothNoise } from './fields.js';
import { boundsOf, drawWaves, type Outline, radiusMeasure } from './outline.js';
import { draw, type StructureKind, type StructureName, structureKinds } from './structures.js';
import type { Tissue } from './tissue.js';

/** A placed structure. */
export interface Placed {
  readonly kind: StructureKind;
  readonly outline: Outline;
  readonly mask: BinaryMask;
}

/** Positions tried for a structure before it is left out. */
export const TRIES = 12;

/** Places structures, modifying the tissue in place, and returns them. */
export function placeStructures(
  tissue: Tissue,
  domain: PhantomDomain,
  inView: (x: number, y: number) => boolean,
  rng: Rng,
): Placed[] {
  const { width, height } = tissue.level;
  const taken = Uint8Array.from(tissue.lost);
  const placed: Placed[] = [];
  const wanted = weighted(domain.counts, rng);
  for (let k = 0; k < wanted; k++) {
    const kind = drawKind(domain, rng);
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const outline = drawOutline(kind, width, height, wanted > 1 ? 0.75 : 1, rng);
      const mask = rasterise(outline, width, height);
      if (!fits(mask, taken, inView)) continue;
      paint(tissue, kind, outline, rng);
      placed.push({ kind, outline, mask });
      occupy(taken, mask);
      break;
    }
  }
  return placed;
}

export function drawKind({ structures }: PhantomDomain, rng: Rng): StructureKind {
  const names = Object.keys(structures) as StructureName[];
  return structureKinds[
    names[
      weighted(
        names.map((name) => structures[name] ?? 0),
        rng,
      )
    ] as StructureName
  ];
}

/** Draws an index with probability proportional to its weight. */
function weighted(weights: readonly number[], rng: Rng): number {
  let rest = rng.uniform() * weights.reduce((sum, weight) => sum + weight, 0);
  return Math.max(
    0,
    weights.findIndex((weight) => {
      rest -= weight;
      return rest < 0;
    }),
  );
}

export function drawOutline(kind: StructureKind, width: number, height: number, scale: number, rng: Rng): Outline {
  const rx = draw(kind.radius, rng) * Math.min(width, height) * scale;
  const ry = rx * draw(kind.aspect, rng);
  return {
    cx: rng.uniform(0.12, 0.88) * width,
    // Lesions are more frequent in the upper two thirds.
    cy: (rng.chance(0.7) ? rng.uniform(0.15, 0.6) : rng.uniform(0.2, 0.85)) * height,
    rx,
    ry,
    angle: rng.uniform(-kind.tilt, kind.tilt),
    waves: drawWaves({ irregularity: draw(kind.irregularity, rng), detail: kind.detail }, rng),
    notch: draw(kind.notch, rng),
  };
}

export function rasterise(outline: Outline, width: number, height: number): BinaryMask {
  const data = new Uint8Array(width * height);
  const [x0, y0, x1, y1] = boundsOf(outline, width, height);
  const radiusAt = radiusMeasure(outline, 1);
  for (let y = y0; y < y1; y++) for (let x = x0; x < x1; x++) data[y * width + x] = Number(radiusAt(x + 0.5, y + 0.5) < 1);
  return { width, height, data };
}

/** Whether a mask is large enough, clear of other structures and almost entirely in view. */
export function fits({ width, data }: BinaryMask, taken: Uint8Array, inView: (x: number, y: number) => boolean): boolean {
  let area = 0;
  let hidden = 0;
  for (let i = 0; i < data.length; i++) {
    if (data[i] === 0) continue;
    if (taken[i] === 1) return false;
    area += 1;
    if (!inView(i % width, Math.floor(i / width))) hidden += 1;
  }
  return area >= 30 && hidden < 0.03 * area;
}

/** Marks a mask and a margin of two pixels as taken. */
export function occupy(taken: Uint8Array, { width, height, data }: BinaryMask): void {
  for (let i = 0; i < data.length; i++) {
    if (data[i] === 0) continue;
    const [px, py] = [i % width, Math.floor(i / width)];
    for (let y = Math.max(0, py - 2); y <= Math.min(height - 1, py + 2); y++)
      taken.fill(1, y * width + Math.max(0, px - 2), y * width + Math.min(width, px + 3));
  }
}

/** Rims below this level, in dB, are not painted. */
const FAINT = 0.05;

/** Changes level and attenuation inside an outline. */
export function paint(
  { level, attenuation }: Pick<Tissue, 'level' | 'attenuation'>,
  kind: StructureKind,
  outline: Outline,
  rng: Rng,
): void {
  const { width, height } = level;
  const unit = Math.min(width, height) / 128;
  const inside = draw(kind.level, rng);
  const core = draw(kind.core.level, rng);
  const reach = draw(kind.core.reach, rng);
  const rim = draw(kind.rim, rng);
  const border = draw(kind.border, rng) * unit;
  const loss = draw(kind.attenuation, rng) / unit;
  const stripes = draw(kind.stripes, rng);
  const period = rng.uniform(2.5, 5) * unit;
  const strength = draw(kind.texture, rng);
  const texture = smoothNoise(width, height, rng.uniform(4, 12) * unit, rng.uniform(4, 10) * unit, rng);
  // Inside, the surrounding level shows through only partly.
  const own = rng.uniform(0.6, 1);
  const radius = Math.min(outline.rx, outline.ry);
  // Nothing is painted beyond the fading border and the rim.
  const faint = rim === 0 ? 0 : 1.3 * unit * Math.sqrt(Math.max(0, Math.log(Math.abs(rim) / FAINT)));
  const radiusAt = radiusMeasure(outline, 1 + Math.max(border / 2, faint) / radius);
  const [x0, y0, x1, y1] = boundsOf(outline, width, height);
  for (let y = y0; y < y1; y++) {
    for (let x = x0; x < x1; x++) {
      const r = radiusAt(x + 0.5, y + 0.5);
      if (r === Number.POSITIVE_INFINITY) continue;
      const depth = (1 - r) * radius;
      const share = smoothStep(depth / border + 0.5);
      const nearRim = rim === 0 ? 0 : rim * Math.exp(-((depth / (1.3 * unit)) ** 2));
      if (share === 0 && Math.abs(nearRim) < FAINT) continue;
      const i = y * width + x;
      const around = level.data[i] as number;
      const middle = reach === 0 ? 0 : core * smoothStep((reach - r) / 0.25 + 0.5);
      const stripe =
        stripes === 0
          ? 0
          : stripes * Math.sin((2 * Math.PI * (y - outline.cy + 0.25 * (x - outline.cx) * Math.tan(outline.angle))) / period);
      const here = inside + around * (1 - own) + middle + stripe + strength * (texture.data[i] as number);
      level.data[i] = around + share * (here - around) + nearRim;
      attenuation.data[i] = (attenuation.data[i] as number) * (1 - share) + share * loss;
    }
  }
  addSpecks(level, kind, outline, rng);
}

/** Microcalcifications: single bright pixels in the inner region. */
function addSpecks({ width, height, data }: Tissue['level'], { specks }: StructureKind, outline: Outline, rng: Rng): void {
  if (specks === 0 || rng.chance(0.5)) return;
  const radiusAt = radiusMeasure(outline);
  for (let k = rng.int(specks + 1); k > 0; k--) {
    const x = Math.round(outline.cx + rng.normal(0, outline.rx * 0.35));
    const y = Math.round(outline.cy + rng.normal(0, outline.ry * 0.35));
    if (x < 0 || y < 0 || x >= width || y >= height || radiusAt(x, y) > 0.85) continue;
    data[y * width + x] = (data[y * width + x] as number) + rng.uniform(18, 32);
  }
}

function smoothStep(t: number): number {
  const x = Math.min(Math.max(t, 0), 1);
  return x * x * (3 - 2 * x);
}
