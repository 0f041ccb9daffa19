import { spawnSync } from 'node:child_process';

/** Pythons that some tests compare with, by the variables that name them. */
const PYTHONS = {
  /** torch, transformers and PEFT. */
  reference: 'SONOGROUND_REFERENCE_PYTHON',
  /** tensorflow-cpu. */
  tensorflow: 'SONOGROUND_TENSORFLOW_PYTHON',
  /** highdicom, which has pydicom. */
  dicom: 'SONOGROUND_DICOM_PYTHON',
} as const;

/** The Python of that name, if there is one. */
export function pythonFor(name: keyof typeof PYTHONS): string | undefined {
  return process.env[PYTHONS[name]] || undefined;
}

/** Why what needs that Python is skipped; undefined where it is there. */
export function pythonMissing(name: keyof typeof PYTHONS): string | undefined {
  return pythonFor(name) === undefined ? `${PYTHONS[name]} names no Python to compare with` : undefined;
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
