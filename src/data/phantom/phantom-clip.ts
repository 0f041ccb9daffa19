import { type BinaryMask, boxOfMask, type Clip, type RasterImage, type Size } from '../../imaging/index.js';
import { Rng } from '../../util/index.js';
import type { SampleObject } from '../types.js';
import { acquire, drawGeometry, inView, type ProbeGeometry } from './acquire.js';
import type { PhantomDomain } from './domains.js';
import { type Field, field, gaussianNoise, sampleAt } from './fields.js';
import { acrossAt, type Displacement, displacementAt, drawMotion, sliceAt } from './motion.js';
import { type Outline, radiusMeasure } from './outline.js';
import { ask, type PhantomOptions } from './phantom.js';
import { drawKind, drawOutline, fits, occupy, type Placed, paint, rasterise, TRIES } from './scene.js';
import { layeredTissue, type Tissue } from './tissue.js';

/** A structure of a clip. */
export interface ClipObject extends SampleObject {
  /** The same in all frames, from 1. */
  readonly track: number;
}

/** A clip of a simulated structure that moves, with its masks. */
export interface PhantomClip extends Clip {
  /** The prompt: names of the structures, and of some that the clip does not show. */
  readonly phrases: readonly string[];
  /** The structures that frame `index` shows; one that has left the plane is not among them. */
  objects(index: number): readonly ClipObject[];
}

/** Options of a phantom clip. */
export interface PhantomClipOptions extends PhantomOptions {
  readonly frames: number;
  /** Whether the structures leave the plane and come back. Default: in three clips of ten. */
  readonly leaves?: boolean | undefined;
}

/** Tissue beyond the image, relative to its shorter side, that motion brings into view. */
const MARGIN = 0.3;

/** A section thinner than this, relative to the whole structure, is not seen. */
const LEAST_SECTION = 0.35;

/** Decoded frames that are kept, in bytes. */
const KEPT_BYTES = 48 * 2 ** 20;

const FRAME_SECONDS = 0.04;

/** A structure with its extent across the plane. */
interface Solid extends Placed {
  /** Its middle plane and half of its thickness, in the unit of `Motion.across`. */
  readonly middle: number;
  readonly half: number;
  /** Draws its echogenicity, the same in each frame. */
  readonly look: Rng;
}

/**
 * Generates the clip of a seed: tissue that breathes under a probe that slides, turns and sways, so that structures move, change
 * their section, and may leave the plane and come back. Speckle moves with the tissue and decorrelates as the probe moves across
 * it. Frames are made on demand and depend on the seed and their number alone.
 */
export function generatePhantomClip(seed: number, options: PhantomClipOptions): PhantomClip {
  const { width, height, domain, frames, leaves } = options;
  const rng = Rng.seeded(seed, 0xc11b);
  const geometry = drawGeometry(width, height, domain, rng);
  const motion = drawMotion({ width, height }, frames, rng, leaves);
  const margin = Math.ceil(MARGIN * Math.min(width, height));
  const canvas = { width: width + 2 * margin, height: height + margin };
  const tissue = layeredTissue(canvas.width, canvas.height, rng);
  const solids = placeSolids(tissue, { ...options, margin }, inView(geometry), rng);
  const { objects: named, phrases } = ask(solids, domain, rng);
  const speckle = new Speckle(seed, canvas);
  const scanner = rng.state();
  const kept = new Map<number, RasterImage>();

  const displaced = (index: number): Displacement => {
    const own = displacementAt(motion, index, { width, height });
    return (x, y) => {
      const [u, v] = own(x, y);
      return [clamp(u + margin, canvas.width), clamp(v, canvas.height)];
    };
  };
  const sections = (index: number) =>
    solids
      .map((solid) => section(solid, acrossAt(motion, index, frames)))
      .map((outline, k) => ({ solid: solids[k] as Solid, outline }));

  const make = (index: number): RasterImage => {
    const place = displaced(index);
    const now = { level: copy(tissue.level), attenuation: copy(tissue.attenuation) };
    for (const { solid, outline } of sections(index))
      if (outline !== undefined) paint(now, solid.kind, outline, solid.look.clone());
    const moved = {
      level: warp(now.level, { width, height }, place),
      attenuation: warp(now.attenuation, { width, height }, place),
    };
    return acquire(moved, geometry, domain, {
      rng: Rng.fromState(scanner),
      scatterers: () => speckle.at(sliceAt(motion, index, frames), geometry, place),
      electronics: Rng.seeded(seed, 0xe1ec, index),
    });
  };

  return {
    name: `phantom-clip-${domain.name}-${seed}`,
    frames,
    width,
    height,
    frameSeconds: FRAME_SECONDS,
    phrases,
    async frame(index) {
      const image = kept.get(checkFrame(index, frames)) ?? make(index);
      if (kept.size * width * height * 3 < KEPT_BYTES) kept.set(index, image);
      return image;
    },
    objects(index) {
      checkFrame(index, frames);
      const place = displaced(index);
      const seen = inView(geometry);
      return sections(index).flatMap(({ outline }, k): ClipObject[] => {
        const mask = outline && maskOf(outline, { width, height }, place, seen);
        const boxXyxyPx = mask && boxOfMask(mask);
        if (mask === undefined || boxXyxyPx === undefined) return [];
        return [{ phrase: (named[k] as SampleObject).phrase, boxXyxyPx, mask, track: k + 1 }];
      });
    },
  };
}

function placeSolids(
  tissue: Tissue,
  { width, height, domain, margin }: Size & { readonly domain: PhantomDomain; readonly margin: number },
  view: (x: number, y: number) => boolean,
  rng: Rng,
): Solid[] {
  const taken = new Uint8Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) taken[y * width + x] = tissue.lost[y * tissue.level.width + x + margin] as number;
  const solids: Solid[] = [];
  const wanted = rng.chance(0.7) ? 1 : 2;
  // The first one is tried for longer: a clip shows something.
  for (let k = 0; k < wanted; k++) {
    for (let attempt = 0; attempt < (k === 0 ? 40 : 1) * TRIES; attempt++) {
      const kind = drawKind(domain, rng);
      const outline = drawOutline(kind, width, height, wanted > 1 ? 0.75 : 1, rng);
      const mask = rasterise(outline, width, height);
      const settled = k === 0 && attempt === 40 * TRIES - 1;
      if (!settled && !fits(mask, taken, view)) continue;
      occupy(taken, mask);
      const moved = { ...outline, cx: outline.cx + margin };
      solids.push({
        kind,
        outline: moved,
        mask,
        middle: rng.uniform(-0.25, 0.25),
        half: rng.uniform(0.8, 1.3),
        look: rng.fork(),
      });
      break;
    }
  }
  return solids;
}

/** The outline of an ellipsoid's section at a distance from the plane of frame 0; undefined if there is none to see. */
function section({ outline, middle, half }: Solid, across: number): Outline | undefined {
  const scale = Math.sqrt(Math.max(0, 1 - ((across - middle) / half) ** 2));
  return scale < LEAST_SECTION ? undefined : { ...outline, rx: outline.rx * scale, ry: outline.ry * scale };
}

function maskOf(
  outline: Outline,
  { width, height }: Size,
  place: Displacement,
  seen: (x: number, y: number) => boolean,
): BinaryMask {
  const radiusAt = radiusMeasure(outline, 1);
  const data = new Uint8Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) data[y * width + x] = Number(radiusAt(...place(x + 0.5, y + 0.5)) < 1 && seen(x, y));
  return { width, height, data };
}

/** A field of the tissue as an image sees it. */
function warp(source: Field, { width, height }: Size, place: Displacement): Field {
  const out = field(width, height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [u, v] = place(x + 0.5, y + 0.5);
      out.data[y * width + x] = sampleAt(source, Math.max(0, u - 0.5), Math.max(0, v - 0.5), 0);
    }
  return out;
}

/** Scatterers in slices of tissue. Between two slices, they are a mixture of both that keeps its variance. */
class Speckle {
  private readonly seed: number;
  private readonly canvas: Size;
  private readonly slices = new Map<number, readonly [Field, Field]>();

  constructor(seed: number, canvas: Size) {
    this.seed = seed;
    this.canvas = canvas;
  }

  at(position: number, { beams, samples, toImage }: ProbeGeometry, place: Displacement): readonly [Field, Field] {
    const low = Math.floor(position);
    const angle = ((position - low) * Math.PI) / 2;
    const [near, far] = [this.slice(low), this.slice(low + 1)];
    const [a, b] = [Math.cos(angle), Math.sin(angle)];
    const out = [field(beams, samples), field(beams, samples)] as const;
    for (let depth = 0; depth < samples; depth++)
      for (let beam = 0; beam < beams; beam++) {
        const [x, y] = toImage(beam, depth);
        const [u, v] = place(x + 0.5, y + 0.5);
        const cell = Math.floor(v) * this.canvas.width + Math.floor(u);
        for (const k of [0, 1] as const)
          out[k].data[depth * beams + beam] = a * (near[k].data[cell] as number) + b * (far[k].data[cell] as number);
      }
    return out;
  }

  private slice(index: number): readonly [Field, Field] {
    const { width, height } = this.canvas;
    const known = this.slices.get(index);
    if (known !== undefined) return known;
    const make = (part: number) => gaussianNoise(width, height, Rng.seeded(this.seed, 0x5ca7, index + 2 ** 20, part));
    const made = [make(0), make(1)] as const;
    this.slices.set(index, made);
    for (const other of [...this.slices.keys()]) if (Math.abs(other - index) > 2) this.slices.delete(other);
    return made;
  }
}

function copy({ width, height, data }: Field): Field {
  return { width, height, data: Float32Array.from(data) };
}

function clamp(value: number, size: number): number {
  return Math.min(Math.max(value, 0), size - 1e-3);
}

function checkFrame(index: number, frames: number): number {
  if (Number.isInteger(index) && index >= 0 && index < frames) return index;
  throw new RangeError(`there is no frame ${index}: they are numbered 0 to ${frames - 1}`);
}
