import { shownName } from '../../util/index.js';
import { damaged } from './file-bytes.js';
import { PickleBytes } from './pickle-bytes.js';

/**
 * A name in a Python module that a pickle refers to. `build` is this project's substitute for calling it; without one it cannot
 * be called.
 */
export interface PickleGlobal {
  /** `module.name` */
  readonly name: string;
  readonly build?: (args: readonly unknown[]) => unknown;
}

export interface PickleOptions {
  /** Location for errors. */
  readonly where: string;
  /** Resolves allowed names; throws for all others. */
  readonly global: (module: string, name: string) => PickleGlobal;
  /** Resolves persistent ids: objects stored outside the pickle. */
  readonly persistent: (id: unknown) => unknown;
}

/**
 * Maximum number of steps: one of a few bytes can create an object of hundreds. A model of ten thousand tensors takes half a
 * million.
 */
const MAX_STEPS = 1_000_000;

/** Marks the start of a list of operands on the stack. */
const MARK = Symbol('mark');

/**
 * Parses a Python pickle without executing anything: supports the opcodes that `torch.save` writes, and only calls the
 * substitutes returned by `global`. Dictionaries become Maps; lists and tuples arrays; None null; integers beyond 2^53 bigints.
 * State set on an object (`__setstate__`) is dropped.
 *
 * @throws CheckpointError naming the opcode or name that is not allowed, or when the pickle is damaged.
 * @see Python's `pickletools`, which describes the opcodes
 */
export function unpickle(bytes: Uint8Array, options: PickleOptions): unknown {
  return new Unpickler(bytes, options).run();
}

class Unpickler {
  private readonly bytes: PickleBytes;
  private readonly options: PickleOptions;
  private readonly stack: unknown[] = [];
  private readonly memo = new Map<number, unknown>();
  private readonly actions: ReadonlyMap<number, () => void>;

  constructor(bytes: Uint8Array, options: PickleOptions) {
    this.options = options;
    this.bytes = new PickleBytes(bytes, options.where);
    this.actions = this.opcodes();
  }

  run(): unknown {
    for (let steps = 0; ; steps++) {
      if (steps === MAX_STEPS) throw this.fail('its pickle has more steps than any weights need');
      const at = this.bytes.position;
      const code = this.bytes.uint8();
      if (code === STOP) break;
      const action = this.actions.get(code);
      if (action === undefined) throw this.fail(`opcode 0x${code.toString(16)} at byte ${at} is not one that weights need`);
      action();
    }
    const result = this.pop();
    if (this.stack.length > 0) throw this.fail('something is left over at its end');
    return result;
  }

  /** Handlers by opcode, in the names of Python's `pickletools`. */
  private opcodes(): ReadonlyMap<number, () => void> {
    const { bytes, stack } = this;
    const push = (make: () => unknown) => () => void stack.push(make());
    const tuple = (count: number) => () => void stack.push(this.popMany(count));
    const entries: [string | number, () => void][] = [
      [0x80, () => this.checkProtocol(bytes.uint8())], // PROTO
      [0x95, () => bytes.skipFrame()], // FRAME
      ['N', push(() => null)], // NONE
      [0x88, push(() => true)], // NEWTRUE
      [0x89, push(() => false)], // NEWFALSE
      ['J', push(() => bytes.int32())], // BININT
      ['K', push(() => bytes.uint8())], // BININT1
      ['M', push(() => bytes.uint16())], // BININT2
      [0x8a, push(() => bytes.longInteger(bytes.uint8()))], // LONG1
      ['G', push(() => bytes.bigEndianDouble())], // BINFLOAT
      ['X', push(() => bytes.text(bytes.uint32()))], // BINUNICODE
      [0x8c, push(() => bytes.text(bytes.uint8()))], // SHORT_BINUNICODE
      ['U', push(() => bytes.latin1(bytes.uint8()))], // SHORT_BINSTRING
      ['B', push(() => bytes.take(bytes.uint32()))], // BINBYTES
      ['C', push(() => bytes.take(bytes.uint8()))], // SHORT_BINBYTES
      ['}', push(() => new Map())], // EMPTY_DICT
      [']', push(() => [])], // EMPTY_LIST
      [')', push(() => [])], // EMPTY_TUPLE
      ['(', push(() => MARK)], // MARK
      ['t', push(() => this.popToMark())], // TUPLE
      [0x85, tuple(1)], // TUPLE1
      [0x86, tuple(2)], // TUPLE2
      [0x87, tuple(3)], // TUPLE3
      ['0', () => void this.pop()], // POP
      ['1', () => void this.popToMark()], // POP_MARK
      ['a', () => this.append([this.pop()])], // APPEND
      ['e', () => this.append(this.popToMark())], // APPENDS
      ['s', () => this.setItems(this.popMany(2))], // SETITEM
      ['u', () => this.setItems(this.popToMark())], // SETITEMS
      ['q', () => void this.memo.set(bytes.uint8(), this.top())], // BINPUT
      ['r', () => void this.memo.set(bytes.uint32(), this.top())], // LONG_BINPUT
      [0x94, () => void this.memo.set(this.memo.size, this.top())], // MEMOIZE
      ['h', push(() => this.remembered(bytes.uint8()))], // BINGET
      ['j', push(() => this.remembered(bytes.uint32()))], // LONG_BINGET
      ['c', push(() => this.options.global(bytes.line(), bytes.line()))], // GLOBAL
      [0x93, push(() => this.stackGlobal())], // STACK_GLOBAL
      ['Q', push(() => this.options.persistent(this.pop()))], // BINPERSID
      ['R', push(() => this.call())], // REDUCE
      [0x81, push(() => this.call())], // NEWOBJ
      ['b', () => void this.pop()], // BUILD
    ];
    return new Map(entries.map(([code, action]) => [typeof code === 'string' ? code.charCodeAt(0) : code, action]));
  }

  private checkProtocol(protocol: number): void {
    if (protocol < 2 || protocol > 5) throw this.fail(`its pickle has protocol ${protocol}; 2 to 5 can be read`);
  }

  private call(): unknown {
    const args = this.pop();
    const callee = this.pop() as Partial<PickleGlobal> | null;
    if (!Array.isArray(args) || typeof callee?.name !== 'string') throw this.fail('something is called that is no function');
    if (callee.build === undefined) throw this.fail(`${shownName(callee.name)} is called, which weights do not need`);
    return callee.build(args);
  }

  private stackGlobal(): PickleGlobal {
    const [module, name] = this.popMany(2);
    if (typeof module !== 'string' || typeof name !== 'string') throw this.fail('a name in it is no text');
    return this.options.global(module, name);
  }

  private append(items: readonly unknown[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw this.fail('it appends to something that is no list');
    for (const item of items) list.push(item);
  }

  private setItems(items: readonly unknown[]): void {
    const target = this.top();
    if (!(target instanceof Map) || items.length % 2 !== 0) throw this.fail('it sets entries of something that is no dictionary');
    for (let i = 0; i < items.length; i += 2) target.set(items[i], items[i + 1]);
  }

  private remembered(index: number): unknown {
    if (!this.memo.has(index)) throw this.fail(`it recalls entry ${index}, which was never stored`);
    return this.memo.get(index);
  }

  private top(): unknown {
    const value = this.stack[this.stack.length - 1];
    if (value === undefined || value === MARK) throw this.fail('its stack is empty where something is needed');
    return value;
  }

  private pop(): unknown {
    const value = this.top();
    this.stack.pop();
    return value;
  }

  private popMany(count: number): unknown[] {
    return Array.from({ length: count }, () => this.pop()).reverse();
  }

  private popToMark(): unknown[] {
    const mark = this.stack.lastIndexOf(MARK);
    if (mark < 0) throw this.fail('a list in it has no beginning');
    const items = this.stack.splice(mark + 1);
    this.stack.pop();
    return items;
  }

  private fail(what: string): Error {
    return damaged(this.options.where, what);
  }
}

const STOP = '.'.charCodeAt(0);
