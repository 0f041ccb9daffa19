/** Makes the tables of bench/LEDGER.md anew from bench/ledger.jsonl: `node bench/ledger.mjs`. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../scripts/lib/places.mjs';
import { records, withTables } from './lib/ledger.mjs';

const path = join(root, 'bench', 'LEDGER.md');
const text = withTables(readFileSync(path, 'utf8'), records());
writeFileSync(`${path}.new`, text);
renameSync(`${path}.new`, path);
