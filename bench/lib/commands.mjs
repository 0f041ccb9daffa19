/** Commands run as processes of their own, in this checkout and in others, taking turns. */
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { root } from '../../scripts/lib/places.mjs';
import { median } from './statistics.mjs';

/** Reports a process's own cost when it ends. */
const REPORT = `process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  process.stderr.write('\\ncost ' + JSON.stringify({ cpu: (userCPUTime + systemCPUTime) / 1e6, peakMb: maxRSS / 1024 }) + '\\n');
});`;

/**
 * Runs a command of sonoground.
 *
 * @param tree - the checkout.
 * @returns seconds by the clock, seconds of processor time, and peak memory.
 */
export function runCommand(tree, argv) {
  return new Promise((done, failed) => {
    const began = performance.now();
    const args = ['--import', `data:text/javascript,${encodeURIComponent(REPORT)}`, join(tree, 'scripts', 'run.mjs'), ...argv];
    const child = spawn(process.execPath, args, { cwd: tree, stdio: ['ignore', 'ignore', 'pipe'] });
    let text = '';
    child.stderr.on('data', (chunk) => {
      text += chunk;
    });
    child.on('error', failed);
    child.on('close', (code) => {
      const cost = /^cost (.*)$/m.exec(text);
      if (code !== 0 || cost === null) return failed(new Error(`${argv[0]} ended with ${code} in ${tree}:\n${text}`));
      return done({ seconds: (performance.now() - began) / 1000, ...JSON.parse(cost[1]) });
    });
  });
}

/** This checkout, and the one to compare it with, if there is one. */
export function treesOf(against) {
  return [root, ...(against === undefined ? [] : [resolve(against)])];
}

/** A median with its range: `1.95 (1.90-2.10)`. */
function spreadOf(values, digits = 2) {
  const sorted = [...values].sort((a, b) => a - b);
  return `${median(values).toFixed(digits)} (${sorted[0].toFixed(digits)}-${sorted.at(-1).toFixed(digits)})`;
}

/** Prints the cost of a work in each tree, and how many times less the first one takes. */
export function tell(work, byTree, pick, unit) {
  const [own, other] = byTree.map((costs) => costs.map(pick));
  const compared =
    other === undefined ? '' : `; the other ${spreadOf(other)}, ratio ${spreadOf(own.map((value, i) => other[i] / value))}`;
  process.stdout.write(`${work}: ${spreadOf(own)} ${unit}${compared}\n`);
}
