/** The processes that take turns: one line in, one line of JSON out. bench/side.py describes the protocol. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from '../../scripts/lib/places.mjs';

/** The Python of the reference environment, or undefined if there is none. */
export function referencePython() {
  const python = process.env.SONOGROUND_REFERENCE_PYTHON ?? join(root, '.venv-reference', 'bin', 'python');
  return existsSync(python) ? python : undefined;
}

/** Starts a script of bench/ in the reference environment; undefined, with a printed line, if it is not installed or fails. */
export async function startReference(script, args) {
  const python = referencePython();
  if (python === undefined) {
    const named = process.env.SONOGROUND_REFERENCE_PYTHON;
    const missing = named === undefined ? '.venv-reference does not exist' : `SONOGROUND_REFERENCE_PYTHON: no file ${named}`;
    console.log(`without the PyTorch reference (${missing}); CONTRIBUTING.md has the commands that install it`);
    return undefined;
  }
  const side = await startSide(python, [join(root, 'bench', script), ...args]);
  if (side.refused === undefined) return side;
  console.log(`without the PyTorch reference: ${side.refused}`);
  side.end();
  return undefined;
}

/** An answer of a side; a line that is not JSON counts as a refusal. */
export function parseAnswer(line) {
  try {
    const answer = JSON.parse(line);
    if (typeof answer === 'object' && answer !== null && !Array.isArray(answer)) return answer;
  } catch {
    // Below.
  }
  return { refused: `expected a line of JSON, got ${JSON.stringify(line.slice(0, 80))}` };
}

/**
 * Starts a program. Resolves to its first line, with `ask`, which resolves to the answer to a line, and `end`. `refused` in either
 * is the reason why there is no answer, also if the program ended.
 */
export async function startSide(command, args) {
  const child = spawn(command, args, { stdio: 'pipe' });
  let failure;
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors = (errors + text).slice(-4000);
  });
  const ended = new Promise((resolve) => {
    child.once('error', (error) => {
      failure = error.message;
      resolve();
    });
    child.once('close', (code, signal) => {
      const last = errors
        .split('\n')
        .filter((line) => line.trim() !== '')
        .at(-1);
      const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
      failure ??= `${basename(args[0])} ended with ${how}${last === undefined ? '' : `: ${last.trim()}`}`;
      resolve();
    });
  });
  child.stdin.on('error', () => {}); // a program that has ended: the missing answer reports it
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (!done) return parseAnswer(value);
    await ended;
    return { refused: failure };
  };
  const first = await next();
  return {
    ...first,
    async ask(line) {
      child.stdin.write(`${line}\n`);
      return next();
    },
    /** Resolves once the program has ended, and its memory and processors are free. */
    async end() {
      child.stdin.end();
      await ended;
    },
  };
}
