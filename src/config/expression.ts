import type { MathNode } from 'mathjs/number';

/** Maximum length of an expression in characters: enough in practice, and a bound on nesting. */
const MOST = 200;

/** Returns the value of a setting, or why it has none. */
export type Lookup = (name: string) => Promise<number | Refusal>;

/** The reason why an expression has no value, as a clause. */
export class Refusal {
  readonly why: string;

  constructor(why: string) {
    this.why = why;
  }
}

/**
 * Evaluates an expression of numbers, `+ - * / ^ ( )` and settings such as `train.batchSize`. It is parsed, and only an
 * allow-list of node types is evaluated; nothing is executed as code. The parser is loaded on demand, as few configurations need
 * it.
 *
 * @param settingOf - the value of a named setting.
 */
export async function evaluateExpression(text: string, settingOf: Lookup): Promise<number | Refusal> {
  const misspelt = misspeltIn(text);
  if (misspelt !== undefined) return new Refusal(misspelt);
  const { parse } = await import('mathjs/number');
  let tree: MathNode;
  try {
    tree = parse(text);
  } catch (cause) {
    return new Refusal(`it cannot be read (${(cause as Error).message})`);
  }
  const value = await compute(tree, settingOf);
  if (value instanceof Refusal || Number.isFinite(value)) return value;
  return new Refusal(`it has no finite value (${value})`);
}

/** Syntax that the parser would misinterpret or reject. */
function misspeltIn(text: string): string | undefined {
  if (text.length > MOST) return `it has ${text.length} characters, of at most ${MOST}`;
  const [stranger] = /[^\w.+\-*/^()\s]/u.exec(text) ?? [];
  if (stranger !== undefined) return `${JSON.stringify(stranger)} is not one of + - * / ^ ( )`;
  if (/^\s*\d{4}-\d{1,2}-\d{1,2}\s*$/.test(text)) return 'it reads like a date; with spaces around each - it is a difference';
  const [, odd] = /(?<![\w.])(0[\dxob]\w*)/i.exec(text) ?? [];
  return odd === undefined ? undefined : `${odd} is not a decimal number`;
}

async function compute(node: MathNode, settingOf: Lookup): Promise<number | Refusal> {
  if (isConstant(node)) return typeof node.value === 'number' ? node.value : unknownPart(node);
  if (isParenthesis(node)) return compute(node.content, settingOf);
  const name = nameOf(node);
  if (name !== undefined) return settingOf(name);
  if (!isOperator(node)) return unknownPart(node);
  if (node.implicit) return new Refusal(`an operator is missing in ${JSON.stringify(node.toString({ implicit: 'hide' }))}`);
  const values: number[] = [];
  for (const arg of node.args) {
    const value = await compute(arg, settingOf);
    if (value instanceof Refusal) return value;
    values.push(value);
  }
  const [a = 0, b = 0] = values;
  switch (node.fn) {
    case 'add':
      return a + b;
    case 'subtract':
      return a - b;
    case 'multiply':
      return a * b;
    case 'divide':
      return a / b;
    case 'pow':
      return a ** b;
    case 'unaryMinus':
      return -a;
    case 'unaryPlus':
      return a;
    default:
      return unknownPart(node);
  }
}

function unknownPart(node: MathNode): Refusal {
  return new Refusal(`${JSON.stringify(node.toString())} is more than numbers, + - * / ^ ( ) and names of settings`);
}

/** `a.b.c` as written; undefined for any other node. */
function nameOf(node: MathNode): string | undefined {
  if (node.type === 'SymbolNode') return (node as Named).name;
  if (node.type !== 'AccessorNode') return undefined;
  const { object, index } = node as Accessor;
  const owner = nameOf(object);
  const [step] = index.dimensions;
  if (owner === undefined || !index.dotNotation || typeof step?.value !== 'string') return undefined;
  return `${owner}.${step.value}`;
}

// The parser's nodes, by the fields read here: its own types do not discriminate them.
type Named = MathNode & { readonly name: string };
type Accessor = MathNode & {
  readonly object: MathNode;
  readonly index: { readonly dotNotation: boolean; readonly dimensions: readonly { readonly value?: unknown }[] };
};
type Constant = MathNode & { readonly value: unknown };
type Parenthesis = MathNode & { readonly content: MathNode };
type Operator = MathNode & { readonly fn: string; readonly args: readonly MathNode[]; readonly implicit: boolean };

function isConstant(node: MathNode): node is Constant {
  return node.type === 'ConstantNode';
}

function isParenthesis(node: MathNode): node is Parenthesis {
  return node.type === 'ParenthesisNode';
}

function isOperator(node: MathNode): node is Operator {
  return node.type === 'OperatorNode';
}
