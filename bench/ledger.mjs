/** Rewrites the tables of bench/LEDGER.md from bench/ledger.jsonl: `node bench/ledger.mjs`. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../scripts/lib/places.mjs';
import { records } from './lib/ledger.mjs';
import { withTables } from './lib/tables.mjs';

const path = join(root, 'bench', 'LEDGER.md');
const text = withTables(readFileSync(path, 'utf8'), records());
writeFileSync(`${path}.new`, text);
renameSync(`${path}.new`, path);
