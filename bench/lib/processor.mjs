/** The processor of a measurement, and what else kept it busy. */
import { existsSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** Instructions that decide how fast products are, by the flag that Linux reports for them, best first. */
const INSTRUCTIONS = [
  ['amx_bf16', 'AMX'],
  ['avx512_bf16', 'AVX-512 with bfloat16'],
  ['avx512f', 'AVX-512'],
  ['avx2', 'AVX2'],
];

/** The best of the instructions in the text of /proc/cpuinfo; undefined where none is listed. */
export function instructionsIn(cpuinfo) {
  const flags = new Set(/^flags\s*:(.*)$/m.exec(cpuinfo)?.[1].split(/\s+/));
  return INSTRUCTIONS.find(([flag]) => flags.has(flag))?.[1];
}

export function instructions() {
  return existsSync('/proc/cpuinfo') ? instructionsIn(readFileSync('/proc/cpuinfo', 'utf8')) : undefined;
}

/** Seconds that all processors together have been busy since the start of the machine. */
export function busySeconds() {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0) / 1000;
}

/** Counts how many processors other programs kept busy while passes ran. */
export function othersClock(busy = busySeconds) {
  let [others, seconds] = [0, 0];
  return {
    /** Runs a pass, which resolves to its answer. */
    async during(pass) {
      const before = busy();
      const answer = await pass();
      if (answer.seconds === undefined) return answer;
      others += busy() - before - answer.cpuSeconds;
      seconds += answer.seconds;
      return answer;
    },
    /** The mean number of processors, at least 0. */
    mean: () => (seconds === 0 ? 0 : Math.max(0, others / seconds)),
  };
}
