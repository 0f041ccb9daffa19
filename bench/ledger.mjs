/** Rewrites the tables of bench/LEDGER.md from bench/ledger.jsonl: `node bench/ledger.mjs`. The bench does so by itself. */
import { rewriteTables } from './lib/ledger.mjs';

rewriteTables();
