/** The ledger: one line of JSON a measurement in ledger.jsonl, and the tables of LEDGER.md. */
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { root } from '../../scripts/lib/places.mjs';
import { instructions } from './processor.mjs';
import { withTables } from './tables.mjs';

const LINES = join(root, 'bench', 'ledger.jsonl');
const TABLES = join(root, 'bench', 'LEDGER.md');

/** The load before a bench adds its own. */
const loadAtStart = Number(loadavg()[0].toFixed(2));

/** When, on what machine and from which commit a measurement was made. */
export function circumstances() {
  const git = (...args) => spawnSync('git', args, { cwd: root, encoding: 'utf8' }).stdout?.trim() ?? '';
  const changed = git('status', '--porcelain', '--', 'src', 'native') !== '';
  const commit = `${git('rev-parse', '--short', 'HEAD') || 'unknown'}${changed ? '+changes' : ''}`;
  return {
    date: new Date().toISOString().slice(0, 10),
    commit,
    machine: cpus()[0]?.model.trim() ?? 'unknown',
    instructions: instructions(),
    load: loadAtStart,
    device: 'cpu',
  };
}

export function append(record) {
  appendFileSync(LINES, `${JSON.stringify(record)}\n`);
}

function records() {
  if (!existsSync(LINES)) return [];
  return readFileSync(LINES, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line)); // biome-ignore format: short
}

/** Rewrites the tables of LEDGER.md from all lines. */
export function rewriteTables() {
  const text = withTables(readFileSync(TABLES, 'utf8'), records());
  writeFileSync(`${TABLES}.new`, text);
  renameSync(`${TABLES}.new`, TABLES);
}
