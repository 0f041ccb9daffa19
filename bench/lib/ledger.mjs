/** The ledger: one JSON line a measurement in ledger.jsonl, and the tables of LEDGER.md that are made from them. */
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { root } from '../../scripts/lib/places.mjs';

const LINES = join(root, 'bench', 'ledger.jsonl');
const [BEGIN, END] = ['<!-- made by `node bench/ledger.mjs` from ledger.jsonl: -->', '<!-- end -->'];

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

const HEAD = 'date|commit|work|threads|ours s|reference s|faster|by processor time|ours MB|reference MB|floor s'.split('|');

/** The lines of the table, its columns as wide as the formatter makes them. */
export function tableOf(list) {
  const rows = list.map((r) => [
    r.date,
    r.commit,
    `${r.work}, ${Object.entries(r.sizes)
      .map(([name, size]) => `${name} ${size}`)
      .join(', ')}${r.device === 'cpu' ? '' : `, on ${r.device}`}`,
    String(r.threads),
    fixed(r.ours.seconds, 2),
    fixed(r.reference?.seconds, 2),
    fixed(r.ratio, 2),
    fixed(r.cpuRatio, 2),
    fixed(r.ours.peakMb, 0),
    fixed(r.reference?.peakMb, 0),
    fixed(r.floor, 2),
  ]);
  const widths = HEAD.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)));
  const line = (cells) => `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`;
  return [line(HEAD), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

/** LEDGER.md with its table made anew. */
export function withTable(text, list) {
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`LEDGER.md has lost its marks ${BEGIN} and ${END}`);
  return `${text.slice(0, from + BEGIN.length)}\n\n${tableOf(list)}\n\n${text.slice(to)}`;
}
