import { spawnSync } from 'node:child_process';

/** Pythons that some tests compare with, by the variables that name them. */
const PYTHONS = {
  /** torch, transformers and PEFT. */
  reference: 'SONOGROUND_REFERENCE_PYTHON',
  /** tensorflow-cpu. */
  tensorflow: 'SONOGROUND_TENSORFLOW_PYTHON',
} as const;

/** The Python of that name, or undefined with a line that says what is skipped. */
export function pythonFor(name: keyof typeof PYTHONS, what: string): string | undefined {
  const python = process.env[PYTHONS[name]];
  if (python === undefined || python === '')
    process.stderr.write(`skipped: ${what}; ${PYTHONS[name]} names no Python to compare with\n`);
  return python || undefined;
}

/** Runs a program, and gives what it printed. */
export function runPython(python: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(python, args, {
    encoding: 'utf8',
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3', HF_HUB_OFFLINE: '1' },
  });
  if (status !== 0) throw new Error(`${args[0]} ended with ${status}: ${error?.message ?? stderr.slice(-2000)}`);
  return stdout;
}
