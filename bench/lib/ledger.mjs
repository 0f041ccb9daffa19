/** The ledger: one JSON line a measurement in ledger.jsonl, and the tables of LEDGER.md that are made from them. */
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { root } from '../../scripts/lib/places.mjs';

const LINES = join(root, 'bench', 'ledger.jsonl');
const MADE = '<!-- made by `node bench/ledger.mjs` from ledger.jsonl: -->';
const END = '<!-- end -->';

/** Where and from what a measurement comes. */
export function circumstances() {
  const git = (...args) => spawnSync('git', args, { cwd: root, encoding: 'utf8' }).stdout?.trim() ?? '';
  const changed = git('status', '--porcelain', '--', 'src', 'native') !== '';
  const commit = `${git('rev-parse', '--short', 'HEAD') || 'unknown'}${changed ? '+changes' : ''}`;
  return { date: new Date().toISOString().slice(0, 10), commit, machine: cpus()[0]?.model.trim() ?? 'unknown', device: 'cpu' };
}

export function append(record) {
  appendFileSync(LINES, `${JSON.stringify(record)}\n`);
}

export function records() {
  if (!existsSync(LINES)) return [];
  return readFileSync(LINES, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line)); // biome-ignore format: short
}

const fixed = (x, digits) => (x === undefined || x === null ? '' : x.toFixed(digits));

const workOf = ({ work, sizes, device }) => {
  const shown = Object.entries(sizes).map(([name, size]) => `${name} ${size}`);
  return `${work}, ${shown.join(', ')}${device === 'cpu' ? '' : `, on ${device}`}`;
};

/** A table whose columns are as wide as the formatter makes them. */
function table(head, rows) {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)));
  const line = (cells) => `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

const HEAD = 'date|commit|work|threads|ours s|reference s|faster|by processor time|ours MB|reference MB|floor s'.split('|');

/** What was compared with the reference, and what was measured on other devices, as it came. */
function tableOf(list) {
  const rows = list.map((r) => [
    r.date,
    r.commit,
    workOf(r),
    String(r.threads),
    fixed(r.ours.seconds, 2),
    fixed(r.reference?.seconds, 2),
    fixed(r.ratio, 2),
    fixed(r.cpuRatio, 2),
    fixed(r.ours.peakMb, 0),
    fixed(r.reference?.peakMb, 0),
    fixed(r.floor, 2),
  ]);
  return table(HEAD, rows);
}

/** The last measurement of each size that was measured alone. */
function growthOf(list) {
  const last = new Map(list.map((r) => [`${workOf(r)}, ${r.threads}`, r]));
  const rows = [...last.values()].map((r) => [
    workOf(r),
    String(r.threads),
    r.commit,
    fixed(r.ours.seconds, 2),
    fixed(r.ours.peakMb, 0),
    fixed(r.floor, 2),
  ]);
  return table('work|threads|commit|s|MB|floor s'.split('|'), rows);
}

/** LEDGER.md with its two tables made anew. */
export function withTables(text, list) {
  const alone = (r) => r.device === 'cpu' && r.reference === undefined;
  const tables = [tableOf(list.filter((r) => !alone(r))), growthOf(list.filter(alone))];
  const parts = text.split(MADE);
  if (parts.length !== tables.length + 1 || parts.slice(1).some((part) => !part.includes(END)))
    throw new Error(`LEDGER.md has lost its marks: ${tables.length} times ${MADE} and ${END}`);
  return parts.map((part, i) => (i === 0 ? part : `${MADE}\n\n${tables[i - 1]}\n\n${part.slice(part.indexOf(END))}`)).join('');
}
