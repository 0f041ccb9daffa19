/** Whether two sides compute the same: their outputs compared before their times are. */

/**
 * Largest typical difference at which a side still counts as computing the same. Detectors with random weights differ by 1e-6 to 5e-4
 * in float32 and by 0.03 to 0.1 in bfloat16; with samples that are off by half a cell, by 0.4.
 */
const BOUNDS = { float32: 1e-2, bfloat16: 0.25 };

/** A loss after random dropout, whose draws differ between programs. */
const LOSS_BOUND = 0.2;

/** Runtimes write the lowest float32 in place of minus infinity. */
const LOWEST = -1e30;

/** Undefined, or the sentence that names an output that is missing or has another shape. */
export function shapeMismatch(reference, other) {
  for (const [name, { shape }] of reference) {
    const got = other.get(name)?.shape;
    if (got?.join() !== shape.join())
      return `${name}: expected the shape ${shape.join('x')}, got ${got?.join('x') ?? 'no output'}`;
  }
  return undefined;
}

/**
 * Differences of outputs of the same shapes (Maps of `{ data, shape }`): `largest`, and `typical`, the root mean square, both relative
 * to the root mean square of the reference; of several outputs the worst. A detector's queries have no order, and near ties change
 * which of them are chosen: each of the reference's is compared with the most similar one, relative to the largest value
 * in the same column, and typical is the median over the queries.
 */
export function differencesOf(reference, other) {
  if (reference.has('pred_boxes')) return differencesOfQueries(reference, other);
  const all = [...reference].map(([name, { data }]) => differencesOfArrays(data, other.get(name).data));
  return { largest: Math.max(...all.map(({ largest }) => largest)), typical: Math.max(...all.map(({ typical }) => typical)) };
}

function differencesOfArrays(expected, got) {
  let [largest, squares, power] = [0, 0, 0];
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [Number(expected[i]), Number(got[i])];
    if (a < LOWEST && b < LOWEST) continue;
    const difference = Math.abs(a - b);
    if (!Number.isFinite(difference)) return { largest: Number.POSITIVE_INFINITY, typical: Number.POSITIVE_INFINITY };
    largest = Math.max(largest, difference);
    squares += difference ** 2;
    power += a ** 2;
  }
  const scale = Math.sqrt(power / expected.length) || 1;
  return { largest: largest / scale, typical: Math.sqrt(squares / expected.length) / scale };
}

function differencesOfQueries(reference, other) {
  const expected = queriesOf(reference);
  const got = queriesOf(other);
  const scales = expected[0].map((_, i) => Math.max(...expected.map((query) => Math.abs(query[i]))) || 1);
  const apart = (a, b, limit) => {
    let largest = 0;
    for (let i = 0; i < a.length && largest < limit; i++) {
      const difference = a[i] === b[i] ? 0 : Math.abs(a[i] - b[i]) / scales[i];
      largest = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(largest, difference);
    }
    return largest;
  };
  const nearest = expected.map((a) => got.reduce((best, b) => Math.min(best, apart(a, b, best)), Number.POSITIVE_INFINITY));
  nearest.sort((a, b) => a - b);
  return { largest: nearest.at(-1), typical: nearest[nearest.length >> 1] };
}

/** One row a query: its scores in the columns that have text, and its box. */
function queriesOf(outputs) {
  const { data: logits, shape } = outputs.get('logits');
  const boxes = outputs.get('pred_boxes').data;
  const columns = shape.at(-1);
  return Array.from({ length: boxes.length / 4 }, (_, q) => {
    const scores = [...logits.subarray(q * columns, (q + 1) * columns)].map((x) => (x < LOWEST ? 0 : 1 / (1 + Math.exp(-x))));
    return [...scores, ...boxes.subarray(4 * q, 4 * q + 4)];
  });
}

/** Undefined, or the sentence that says that a side computes something else. */
export function disagreement({ typical, largest }, precision, work) {
  const bound = work === 'train-step' ? LOSS_BOUND : BOUNDS[precision];
  if (typical <= bound) return undefined;
  return `computes something else: typical difference ${typical.toPrecision(2)}, largest ${largest.toPrecision(2)}, allowed ${bound}`;
}
