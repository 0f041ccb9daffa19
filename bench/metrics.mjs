/**
 * Scores of a mask (DSC, IoU, HD95, normalised surface distance) against scipy on the same masks.
 *
 *   node bench/metrics.mjs           # with SONOGROUND_REFERENCE_PYTHON for the ratio
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { maskScores } from '../dist/metrics/index.js';
import { median } from './lib/statistics.mjs';

const SIZE = 1024;
const RUNS = 10;
const python = process.env.SONOGROUND_REFERENCE_PYTHON;

/** An ellipse with a wavy border; python makes the same. */
function blob(cx, cy, rx, ry) {
  const data = new Uint8Array(SIZE * SIZE);
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) {
      const angle = Math.atan2((y - cy) / ry, (x - cx) / rx);
      data[y * SIZE + x] = Number(Math.hypot((x - cx) / rx, (y - cy) / ry) < 1 + 0.1 * Math.sin(7 * angle));
    }
  }
  return { width: SIZE, height: SIZE, data };
}

const [a, b] = [blob(500, 480, 220, 150), blob(520, 500, 200, 170)];
const times = [];
let scores;
for (let run = 0; run <= RUNS; run++) {
  const start = performance.now();
  scores = maskScores(a, b, 2);
  if (run > 0) times.push(performance.now() - start);
}
const ours = median(times);
console.log(
  `${SIZE}x${SIZE}: ${ours.toFixed(1)} ms for a pair of masks, HD95 ${scores.hd95.toFixed(4)}, NSD ${scores.nsd.toFixed(6)}`,
);
if (python !== undefined) {
  const script = fileURLToPath(new URL('metrics.py', import.meta.url));
  const { ms, hd95, nsd } = JSON.parse(execFileSync(python, [script, String(SIZE), String(RUNS)], { encoding: 'utf8' }));
  console.log(`scipy: ${ms.toFixed(1)} ms, HD95 ${hd95.toFixed(4)}, NSD ${nsd.toFixed(6)}; ratio ${(ours / ms).toFixed(2)}`);
}
