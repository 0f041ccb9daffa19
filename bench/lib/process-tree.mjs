/** What the processes below one of this machine cost, from Linux's /proc. */
import { readdirSync, readFileSync } from 'node:fs';

/** Ticks of the kernel's processor times in a second. */
const TICKS = 100;

function facts(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const peakMb = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
    return { parent: Number(fields[1]), seconds: (Number(fields[11]) + Number(fields[12])) / TICKS, peakMb };
  } catch {
    return undefined; // it has ended meanwhile
  }
}

/** Seconds of processor time so far of a process and all below it, and the peak memory of the largest of them. */
export function treeCost(root) {
  const all = new Map();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const own = facts(name);
    if (own !== undefined) all.set(Number(name), own);
  }
  const within = (pid) => pid === root || (all.has(pid) && within(all.get(pid).parent));
  const tree = [...all].filter(([pid]) => within(pid)).map(([, own]) => own);
  return { seconds: tree.reduce((sum, { seconds }) => sum + seconds, 0), peakMb: Math.max(...tree.map(({ peakMb }) => peakMb)) };
}
