import { type Document, isCollection, isMap, isNode, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { ConfigError, shown } from '../util/index.js';

/** A YAML document that knows the origin of each key: a line of the file, or an override. */
export class ConfigDocument {
  readonly file: string;
  private readonly document: Document;
  private readonly lines: LineCounter;
  private readonly overrides: { readonly path: readonly string[]; readonly text: string }[] = [];

  private constructor(file: string, document: Document, lines: LineCounter) {
    this.file = file;
    this.document = document;
    this.lines = lines;
  }

  /** @throws ConfigError with the line of the first syntax error. */
  static parse(text: string, file: string): ConfigDocument {
    const lines = new LineCounter();
    const document = parseDocument(text, { lineCounter: lines });
    const [broken] = document.errors;
    if (broken === undefined) return new ConfigDocument(file, document, lines);
    const { line, col } = lines.linePos(broken.pos[0]);
    const what = broken.message.split(/ at line|\n/)[0] ?? 'not valid YAML';
    throw new ConfigError({
      code: 'E_CONFIG_SYNTAX',
      where: `${file}:${line}:${col}`,
      what,
      fix: 'Mend the YAML',
      cause: broken,
    });
  }

  /**
   * Applies `key.path=value`. The value is a number, `true`, `false`, `null`, a string, or a YAML flow collection or quoted
   * string; anything else is taken as a string in full, whatever YAML syntax it contains.
   *
   * @param present - maps an earlier path of a setting to its present one. Default: the path itself.
   * @throws ConfigError when it is malformed.
   */
  override(text: string, present: (path: readonly string[]) => readonly string[] = (path) => path): void {
    const where = `--set ${text}`;
    const [, key, value] = /^([\w-]+(?:\.[\w-]+)*)=(.*)$/s.exec(text) ?? [];
    if (key === undefined || value === undefined)
      throw new ConfigError({
        code: 'E_CONFIG_SYNTAX',
        where,
        what: 'expected key.path=value',
        fix: 'For example --set train.epochs=5',
      });
    const parsed = yamlValue(value, where);
    const path = present(key.split('.'));
    this.overrides.push({ path, text: where });
    for (let depth = 0; depth < path.length; depth++) {
      if (!isCollection(this.nodeAt(path.slice(0, depth))))
        this.document.setIn(path.slice(0, depth), this.document.createNode({}));
    }
    this.document.setIn(path, this.document.createNode(parsed));
  }

  /**
   * Converts to plain values. An empty file is an empty table.
   *
   * @throws ConfigError for an unresolved alias.
   */
  toJs(): unknown {
    try {
      return this.document.toJS() ?? {};
    } catch (cause) {
      throw new ConfigError({ code: 'E_CONFIG_SYNTAX', where: this.file, what: firstLine(cause), fix: 'Mend the YAML', cause });
    }
  }

  /** The origin of a key, or of its nearest ancestor in the document: `--set …`, `file:line:column`, or the file. */
  placeOf(path: readonly string[]): string {
    const blamed = this.overrides.findLast(
      (override) => override.path.slice(0, path.length).every((step, i) => step === path[i]) || isAtOrAbove(override.path, path),
    );
    if (blamed !== undefined && path.length > 0) return blamed.text;
    for (let depth = path.length; depth > 0; depth--) {
      const offset = this.offsetOf(path.slice(0, depth));
      if (offset === undefined) continue;
      const { line, col } = this.lines.linePos(offset);
      return `${this.file}:${line}:${col}`;
    }
    return this.file;
  }

  /** Whether the value at a path comes from an override. */
  isOverridden(path: readonly string[]): boolean {
    return this.overrides.some((override) => isAtOrAbove(override.path, path));
  }

  /** Whether something is written down at a path. */
  has(path: readonly string[]): boolean {
    return this.document.hasIn(path);
  }

  /** The text at a path; undefined where there is none, or something else. */
  textAt(path: readonly string[]): string | undefined {
    const value = this.document.getIn(path);
    return typeof value === 'string' ? value : undefined;
  }

  /** Puts a text in the place of what stands at a path. */
  setText(path: readonly string[], text: string): void {
    this.document.setIn(path, text);
  }

  /** Gives a key another name. It stays where it is, and problems are still told of its line. */
  renameKey(path: readonly string[], name: string): void {
    const key = this.keyAt(path);
    if (isScalar(key)) key.value = name;
  }

  private nodeAt(path: readonly string[]): unknown {
    return path.length === 0 ? this.document.contents : this.document.getIn(path, true);
  }

  private offsetOf(path: readonly string[]): number | undefined {
    const parent = this.nodeAt(path.slice(0, -1));
    const step = path.at(-1);
    const node: unknown = isSeq(parent) ? parent.items[Number(step)] : this.keyAt(path);
    return isNode(node) ? (node as Node).range?.[0] : undefined;
  }

  private keyAt(path: readonly string[]): unknown {
    const parent = this.nodeAt(path.slice(0, -1));
    const step = path.at(-1);
    if (!isMap(parent)) return undefined;
    return parent.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === step)?.key;
  }
}

function isAtOrAbove(path: readonly string[], below: readonly string[]): boolean {
  return path.length <= below.length && path.every((step, i) => step === below[i]);
}

function yamlValue(text: string, where: string): unknown {
  const value = text.trim();
  if (value === '') return null;
  const flow = /^["'[{]/.test(value);
  const document = parseDocument(value, { logLevel: 'silent' });
  const { contents, errors } = document;
  if (!flow) {
    // YAML would end the string at ` #`, and parse tables, lists and references where none are intended.
    const whole = errors.length === 0 && isScalar(contents) && contents.type === 'PLAIN' && contents.source === value;
    return whole ? contents.value : value;
  }
  const invalid = (cause?: unknown) =>
    new ConfigError({ code: 'E_CONFIG_SYNTAX', where, what: 'the value is not valid YAML', fix: 'Put quotes around it', cause });
  if (errors.length > 0) throw invalid(errors[0]);
  const dropped = document.comment ?? document.commentBefore ?? (isNode(contents) ? contents.comment : undefined);
  if (typeof dropped === 'string')
    throw new ConfigError({
      code: 'E_CONFIG_SYNTAX',
      where,
      what: `what follows # would be lost: ${shown(dropped)}`,
      fix: 'Put quotes around it',
    });
  try {
    return document.toJS();
  } catch (cause) {
    throw invalid(cause);
  }
}

function firstLine(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).split('\n')[0] ?? '';
}
