/** The PyTorch reference as a process that waits for its turns: one line in, one line of JSON out. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from '../../scripts/lib/places.mjs';

/** The Python that has PyTorch and transformers, or undefined with a line that says so. */
function referencePython() {
  const python = process.env.SONOGROUND_REFERENCE_PYTHON ?? join(root, '.venv-reference', 'bin', 'python');
  if (existsSync(python)) return python;
  console.log('no reference: .venv-reference is not there, and SONOGROUND_REFERENCE_PYTHON names no other Python');
  return undefined;
}

/** Starts a script of bench/; undefined without a reference, or if it ends before it says its name. */
export async function startReference(script, args) {
  const python = referencePython();
  return python === undefined ? undefined : startSide(python, [join(root, 'bench', script), ...args]);
}

/** Starts a program that says its name in one line and answers each further one; undefined if it ends before. */
export async function startSide(command, args) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { value: name, done } = await lines.next();
  if (done) return undefined;
  return {
    name,
    async ask(line) {
      child.stdin.write(`${line}\n`);
      const { value, done: ended } = await lines.next();
      if (ended) throw new Error(`${args[0]} ended in the middle of its work`);
      return JSON.parse(value);
    },
    end: () => child.stdin.end(),
  };
}

export function median(numbers) {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
}
