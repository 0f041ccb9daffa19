/** Runs other programs. */
import { spawn, spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { noteChild } from './lock.mjs';

/** Number of characters kept of a program's error output. */
const KEPT = 1 << 16;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

const running = new Set();

/** Terminates child processes with this process. Signals are not handled while nothing runs, as a command may handle them. */
function endTogether(signal) {
  for (const child of running) child.kill(signal);
  process.exit(128 + constants.signals[signal]);
}

/** Whether a program is installed and starts. */
export function starts(command, args = ['--version']) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/**
 * Runs a program to completion.
 *
 * @returns its exit code (-1 if it did not start or was killed) and its standard error.
 */
export async function runTool(command, args, { timeout, ...options } = {}) {
  const child = spawn(command, args, { ...options, timeout, stdio: ['ignore', 'ignore', 'pipe'] });
  if (running.size === 0) for (const signal of SIGNALS) process.on(signal, endTogether);
  running.add(child);
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr = (stderr + chunk).slice(-KEPT);
  });
  const ended = new Promise((resolve) => {
    child.on('error', (error) => resolve({ code: -1, stderr: error.message }));
    child.on('close', (code) => resolve({ code: code ?? -1, stderr }));
  });
  if (child.pid !== undefined) await noteChild(child.pid);
  const result = await ended;
  running.delete(child);
  if (running.size === 0) for (const signal of SIGNALS) process.off(signal, endTogether);
  return result;
}

/** The most informative line of an error output, without its prefix, to be quoted in a sentence. */
export function complaint(stderr) {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const line = lines.find((text) => /\berror\b[^:;]*:/i.test(text)) ?? lines.find((text) => /error/i.test(text)) ?? lines.at(-1);
  return (line ?? 'no reason given')
    .replace(/^\s*(npm )?err(or|!)?:?\s*/i, '')
    .trim()
    .slice(0, 200);
}
