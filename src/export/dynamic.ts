import { needed, type Trace, type TracedConstant, type TracedDtype, type TracedEdge, type TracedNode } from '../backend/index.js';
import { SonogroundError, sizeOf } from '../util/index.js';

/** Thrown when two traces of one function at different sizes differ in more than sizes. */
export class DynamicError extends SonogroundError {}

/** Dynamic axes, with a second trace at another size. */
export interface Varying {
  /** The dynamic axis of each input and output. */
  readonly inputs: Readonly<Record<string, number>>;
  readonly outputs: Readonly<Record<string, number>>;
  /** Sizes of the first and the second trace; both at least 2, so that the dynamic axis cannot be mistaken for one of size 1. */
  readonly sizes: readonly [number, number];
  readonly second: Trace;
}

/** A list or a single integer: `offset + slope * size`. */
interface ListRule {
  readonly kind: 'list';
  readonly scalar: boolean;
  readonly slope: readonly number[];
  readonly offset: readonly number[];
}

/** `size` blocks, where block i is `base + i * step`. */
interface BlockRule {
  readonly kind: 'blocks';
  readonly dtype: TracedDtype;
  readonly base: Values;
  /** Undefined if all blocks are equal. */
  readonly step: Float32Array | Int32Array | undefined;
  /** With -1 for the dynamic axis. */
  readonly shape: readonly number[];
}

/** How a constant depends on the dynamic size. */
export type SizeRule = ListRule | BlockRule;

type Values = Float32Array | Int32Array | Uint8Array;

/** Compares two traces and derives how their constants depend on the dynamic size. */
export class Twin {
  readonly rules = new Map<TracedConstant, SizeRule>();
  private readonly partner = new Map<TracedNode, TracedNode>();
  private readonly sizes: readonly [number, number];

  private constructor(sizes: readonly [number, number]) {
    this.sizes = sizes;
  }

  /** @throws DynamicError naming the first difference that sizes do not explain. */
  static async of(first: Trace, { second, sizes }: Varying): Promise<Twin> {
    const twin = new Twin(sizes);
    for (const [i, input] of first.inputs.entries()) twin.partner.set(input, second.inputs[i] as TracedNode);
    const [ours, theirs] = [needed(first), needed(second)];
    if (ours.length !== theirs.length) throw differ('the graph', `${ours.length} and ${theirs.length} operations`);
    for (const [i, a] of ours.entries()) {
      const b = theirs[i] as (typeof theirs)[number];
      const same =
        a.op === b.op && JSON.stringify(a.attributes) === JSON.stringify(b.attributes) && a.inputs.length === b.inputs.length;
      if (!same)
        throw differ(`operation ${i}`, `${a.op} ${JSON.stringify(a.attributes)} and ${b.op} ${JSON.stringify(b.attributes)}`);
      for (const [k, edge] of a.inputs.entries()) await twin.match(edge, b.inputs[k] as TracedEdge, `${a.op}, operation ${i}`);
      twin.partner.set(a, b);
    }
    for (const [name, edge] of first.outputs) await twin.match(edge, second.outputs.get(name) as TracedEdge, name);
    return twin;
  }

  private async match(a: TracedEdge, b: TracedEdge, where: string): Promise<void> {
    const known = this.partner.get(a.node);
    if (a.output !== b.output || (known !== undefined && known !== b.node)) throw differ(where, 'different inputs');
    if (known !== undefined) return;
    if (a.node.kind !== 'constant' || b.node.kind !== 'constant') throw differ(where, 'different inputs');
    this.partner.set(a.node, b.node);
    if (a.node.identity === b.node.identity) return;
    const rule = await ruleOf(a.node, b.node, this.sizes, where);
    if (rule !== undefined) this.rules.set(a.node, rule);
  }
}

async function ruleOf(
  a: TracedConstant,
  b: TracedConstant,
  sizes: readonly [number, number],
  where: string,
): Promise<SizeRule | undefined> {
  const [x, y] = [await a.read(), await b.read()];
  if (a.dtype !== b.dtype || a.shape.length !== b.shape.length) throw differ(where, 'constants of different types');
  if (a.shape.join() === b.shape.join()) {
    if (x.every((value, i) => Object.is(value, y[i]))) return undefined;
    if (a.dtype !== 'int32' || a.shape.length > 1) throw differ(where, `different constants of shape [${a.shape.join(', ')}]`);
    return listRule(a, x, y, sizes, where);
  }
  return blockRule(a, b, x, y, sizes, where);
}

function listRule(a: TracedConstant, x: Values, y: Values, [p, q]: readonly [number, number], where: string): ListRule {
  const slope = Array.from(x, (value, i) => ((y[i] as number) - value) / (q - p));
  if (slope.some((s) => !Number.isInteger(s))) throw differ(where, `sizes ${x.join()} and ${y.join()}`);
  return {
    kind: 'list',
    scalar: a.shape.length === 0,
    slope,
    offset: Array.from(x, (value, i) => value - (slope[i] as number) * p),
  };
}

/** Only the first axis longer than 1 may grow, in proportion to the size. */
function blockRule(
  a: TracedConstant,
  b: TracedConstant,
  x: Values,
  y: Values,
  [p, q]: readonly [number, number],
  where: string,
): BlockRule {
  const axis = a.shape.findIndex((n, i) => n !== b.shape[i]);
  const alike = a.shape.every((n, i) => i === axis || n === b.shape[i]);
  const length = x.length / p;
  const grows = sizeOf(a.shape.slice(0, axis)) === 1 && Number.isInteger(length) && y.length === length * q;
  if (!alike || !grows) throw differ(where, `constants of shapes [${a.shape.join(', ')}] and [${b.shape.join(', ')}]`);
  const base = x.slice(0, length);
  const step = new (a.dtype === 'float32' ? Float32Array : Int32Array)(length);
  for (let i = 0; i < length; i++) step[i] = (x[length + i] as number) - (x[i] as number);
  const fits = (values: Values) =>
    values.every((value, i) => Object.is(value, at(base, step, i, length)) || value === at(base, step, i, length));
  const constant = step.every((s) => s === 0);
  const repeats = (values: Values) => values.every((value, i) => Object.is(value, base[i % length]));
  const explained = constant || a.dtype === 'bool' ? repeats(x) && repeats(y) : fits(x) && fits(y);
  if (!explained) throw differ(where, 'tables that do not grow evenly');
  const shape = a.shape.map((n, i) => (i === axis ? -1 : n));
  return { kind: 'blocks', dtype: a.dtype, base, step: constant || a.dtype === 'bool' ? undefined : step, shape };
}

function at(base: Values, step: Float32Array | Int32Array, i: number, length: number): number {
  const k = i % length;
  const value = (base[k] as number) + Math.floor(i / length) * (step[k] as number);
  return step instanceof Float32Array ? Math.fround(value) : value;
}

function differ(where: string, what: string): DynamicError {
  return new DynamicError({
    code: 'E_GRAPH_UNRECORDABLE',
    where,
    what: `it depends on the size in another way than sizes do: ${what}`,
  });
}
