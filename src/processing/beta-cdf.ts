/** Steps of the continued fraction: it needs about the square root of the larger parameter. */
const MOST_STEPS = 10_000;
const SMALL = 1e-300;

/**
 * The share of a beta distribution below a value.
 *
 * @param lgamma - logarithm of the gamma function.
 * @see Press et al. 2007, Numerical Recipes, section 6.4
 */
export function betaCdf(x: number, [a, b]: readonly [number, number], lgamma: (value: number) => number): number {
  if (!(x > 0)) return 0;
  if (x >= 1) return 1;
  // On the other side of the mean the fraction of the mirrored distribution converges.
  if (x > (a + 1) / (a + b + 2)) return 1 - betaCdf(1 - x, [b, a], lgamma);
  const front = Math.exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * Math.log(x) + b * Math.log1p(-x)) / a;
  return front / fraction(x, a, b);
}

/** The continued fraction of the incomplete beta function, by Lentz's method. */
function fraction(x: number, a: number, b: number): number {
  let [value, c, d] = [1, 1, 0];
  for (let step = 1; step < MOST_STEPS; step++) {
    const m = Math.floor(step / 2);
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    const term = step % 2 === 0 ? even : odd;
    d = 1 / nonZero(1 + term * d);
    c = nonZero(1 + term / c);
    value *= c * d;
    if (Math.abs(c * d - 1) < 1e-15) break;
  }
  return value;
}

function nonZero(value: number): number {
  return Math.abs(value) < SMALL ? SMALL : value;
}
