import type { Point } from './outline.js';

/** An ellipse fitted to an outline. */
export interface Ellipse {
  readonly centre: Point;
  /** Full length of the major and the minor axis. */
  readonly axes: readonly [major: number, minor: number];
  /** Angle of the major axis from the first coordinate towards the second, in radians, in (-π/2, π/2]. */
  readonly angle: number;
  /** Root mean square distance of the outline from the ellipse, to first order. */
  readonly residual: number;
}

/** A conic has five degrees of freedom. */
const FEWEST = 6;

type Vector = readonly [number, number, number];
type Matrix = readonly [Vector, Vector, Vector];

/**
 * Fits an ellipse by direct least squares. The fit does not depend on the scale of either coordinate, so pixels need not be
 * square.
 *
 * @returns undefined where fewer than six points are given, or they lie on a line.
 * @see Fitzgibbon, Pilu, Fisher, Direct least square fitting of ellipses, PAMI 1999, in the numerically stable form of Halíř and
 *   Flusser, WSCG 1998
 */
export function fitEllipse(points: readonly Point[]): Ellipse | undefined {
  if (points.length < FEWEST) return undefined;
  const mean = (axis: 0 | 1) => points.reduce((sum, point) => sum + point[axis], 0) / points.length;
  const [mx, my] = [mean(0), mean(1)];
  const size = Math.sqrt(points.reduce((sum, [x, y]) => sum + (x - mx) ** 2 + (y - my) ** 2, 0) / points.length);
  if (!(size > 0)) return undefined;
  const scaled = points.map(([x, y]): Point => [(x - mx) / size, (y - my) / size]);
  const conic = fitConic(scaled);
  const found = conic && geometryOf(conic);
  if (conic === undefined || found === undefined) return undefined;
  const { centre, axes, angle } = found;
  return {
    centre: [centre[0] * size + mx, centre[1] * size + my],
    axes: [axes[0] * size, axes[1] * size],
    angle,
    residual: residualOf(conic, scaled) * size,
  };
}

/** The circumference of an ellipse with these full axes, by Ramanujan's second formula: within 1e-4 up to axes of 1 : 10. */
export function circumference([major, minor]: readonly [number, number]): number {
  const [a, b] = [major / 2, minor / 2];
  const h = a + b === 0 ? 0 : ((a - b) / (a + b)) ** 2;
  return Math.PI * (a + b) * (1 + (3 * h) / (10 + Math.sqrt(4 - 3 * h)));
}

/** a x² + b xy + c y² + d x + e y + f = 0. */
type Conic = readonly [number, number, number, number, number, number];

function fitConic(points: readonly Point[]): Conic | undefined {
  const quadratic = points.map(([x, y]): Vector => [x * x, x * y, y * y]);
  const linear = points.map(([x, y]): Vector => [x, y, 1]);
  const s1 = products(quadratic, quadratic);
  const s2 = products(quadratic, linear);
  const inverse = inverseOf(products(linear, linear));
  if (inverse === undefined) return undefined;
  // T = -S3⁻¹ S2ᵀ gives the linear part for a quadratic one.
  const t = times(inverse, transposed(s2)).map((row) => row.map((value) => -value)) as unknown as Matrix;
  const reduced = sum(s1, times(s2, t));
  // C1⁻¹ M, where aᵀ C1 a = 4ac - b².
  const [m0, m1, m2] = reduced;
  const system = [half(m2), m1.map((value) => -value), half(m0)] as unknown as Matrix;
  for (const eigenvalue of eigenvalues(system)) {
    const [a, b, c] = nullVector(system, eigenvalue);
    if (!(4 * a * c - b * b > 0)) continue;
    const [d, e, f] = t.map((row) => row[0] * a + row[1] * b + row[2] * c) as unknown as Vector;
    return [a, b, c, d, e, f];
  }
  return undefined;
}

function geometryOf([a, b, c, d, e, f]: Conic): Omit<Ellipse, 'residual'> | undefined {
  const determinant = 4 * a * c - b * b;
  const [x, y] = [(b * e - 2 * c * d) / determinant, (b * d - 2 * a * e) / determinant];
  const value = f + (d * x + e * y) / 2;
  const spread = Math.hypot(a - c, b);
  // Squared half axes: of the smaller eigenvalue of the quadratic form first.
  const [first, second] = [a + c - spread, a + c + spread].map((sum2) => (-2 * value) / sum2) as [number, number];
  if (!(first > 0 && second > 0 && Number.isFinite(first * second))) return undefined;
  const along = Math.atan2(b, a - c) / 2;
  // The minor axis belongs to the larger eigenvalue in absolute value.
  const [major, minor] = [Math.max(first, second), Math.min(first, second)];
  const turned = first === major ? along + Math.PI / 2 : along;
  return { centre: [x, y], axes: [2 * Math.sqrt(major), 2 * Math.sqrt(minor)], angle: normalised(turned) };
}

/** To (-π/2, π/2]. */
function normalised(angle: number): number {
  const turns = Math.ceil((angle - Math.PI / 2) / Math.PI);
  return angle - turns * Math.PI;
}

/** Sampson's distance: the algebraic one over the length of its gradient. */
function residualOf([a, b, c, d, e, f]: Conic, points: readonly Point[]): number {
  const squares = points.map(([x, y]) => {
    const value = a * x * x + b * x * y + c * y * y + d * x + e * y + f;
    const squared = (2 * a * x + b * y + d) ** 2 + (b * x + 2 * c * y + e) ** 2;
    return squared === 0 ? 0 : value ** 2 / squared;
  });
  return Math.sqrt(squares.reduce((p, q) => p + q, 0) / points.length);
}

function products(a: readonly Vector[], b: readonly Vector[]): Matrix {
  const entry = (i: number, j: number) =>
    a.reduce((total, row, k) => total + (row[i] as number) * ((b[k] as Vector)[j] as number), 0);
  return matrix(entry);
}

function matrix(entry: (i: number, j: number) => number): Matrix {
  return [0, 1, 2].map((i) => [entry(i, 0), entry(i, 1), entry(i, 2)]) as unknown as Matrix;
}

function times(a: Matrix, b: Matrix): Matrix {
  return matrix((i, j) => [0, 1, 2].reduce((total, k) => total + at(a, i, k) * at(b, k, j), 0));
}

function sum(a: Matrix, b: Matrix): Matrix {
  return matrix((i, j) => at(a, i, j) + at(b, i, j));
}

function transposed(a: Matrix): Matrix {
  return matrix((i, j) => at(a, j, i));
}

function at(a: Matrix, i: number, j: number): number {
  return (a[i] as Vector)[j] as number;
}

function half(vector: Vector): Vector {
  return [vector[0] / 2, vector[1] / 2, vector[2] / 2];
}

/** Relative determinant below which points lie on a line. */
const SINGULAR = 1e-12;

function inverseOf(a: Matrix): Matrix | undefined {
  const [p, q, r] = a;
  const columns = [cross(q, r), cross(r, p), cross(p, q)] as const;
  const determinant = dot(p, columns[0]);
  const size = Math.max(...a.flat().map(Math.abs));
  if (!(Math.abs(determinant) > SINGULAR * size ** 3)) return undefined;
  return matrix((i, j) => ((columns[j] as Vector)[i] as number) / determinant);
}

/** The real eigenvalues of a 3x3 matrix, by the roots of its characteristic polynomial. */
function eigenvalues(a: Matrix): number[] {
  const trace = at(a, 0, 0) + at(a, 1, 1) + at(a, 2, 2);
  const minors = at(a, 0, 0) * at(a, 1, 1) + at(a, 0, 0) * at(a, 2, 2) + at(a, 1, 1) * at(a, 2, 2);
  const second = minors - at(a, 0, 1) * at(a, 1, 0) - at(a, 0, 2) * at(a, 2, 0) - at(a, 1, 2) * at(a, 2, 1);
  const determinant = dot(a[0], cross(a[1], a[2]));
  // λ = t + trace / 3 with t³ + p t + q = 0.
  const p = second - trace ** 2 / 3;
  const q = (-2 * trace ** 3) / 27 + (trace * second) / 3 - determinant;
  const discriminant = (q / 2) ** 2 + (p / 3) ** 3;
  if (discriminant > 0) {
    const root = Math.sqrt(discriminant);
    return [Math.cbrt(-q / 2 + root) + Math.cbrt(-q / 2 - root) + trace / 3];
  }
  const radius = Math.sqrt(-p / 3);
  const angle = radius === 0 ? 0 : Math.acos(Math.max(-1, Math.min(1, -q / 2 / radius ** 3)));
  return [0, 1, 2].map((k) => 2 * radius * Math.cos((angle - 2 * Math.PI * k) / 3) + trace / 3);
}

/** A unit vector that `a - λ` maps to 0: at right angles to its rows. */
function nullVector(a: Matrix, eigenvalue: number): Vector {
  const rows = matrix((i, j) => at(a, i, j) - (i === j ? eigenvalue : 0));
  const candidates = [cross(rows[0], rows[1]), cross(rows[0], rows[2]), cross(rows[1], rows[2])];
  const [best = [0, 0, 0]] = candidates.sort((u, v) => dot(v, v) - dot(u, u)) as [Vector?];
  const length = Math.sqrt(dot(best, best)) || 1;
  return [best[0] / length, best[1] / length, best[2] / length];
}

function cross([a, b, c]: Vector, [x, y, z]: Vector): Vector {
  return [b * z - c * y, c * x - a * z, a * y - b * x];
}

function dot([a, b, c]: Vector, [x, y, z]: Vector): number {
  return a * x + b * y + c * z;
}
