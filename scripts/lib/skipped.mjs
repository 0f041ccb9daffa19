/** Which tests a run of jest skipped, and why: tests that cannot run everywhere carry the reason in their names. */
import { relative } from 'node:path';

/** A reason at the end of a test's name or that of a group: `(skipped: …)`, `(skipped where …)`. */
const REASON = /\(skipped(?::|, as)? (.*)\)$/;

/**
 * Reads jest's JSON report.
 *
 * @returns the reasons, each with how many tests of which files it kept from running.
 */
export function skippedTests({ testResults }, root) {
  const reasons = new Map();
  for (const { name, assertionResults } of testResults) {
    for (const { status, title, ancestorTitles } of assertionResults) {
      if (status !== 'pending' && status !== 'todo') continue;
      const reason = [title, ...ancestorTitles].map((text) => REASON.exec(text)?.[1]).find(Boolean) ?? 'no reason is given';
      const files = reasons.get(reason) ?? new Map();
      const file = relative(root, name).replaceAll('\\', '/');
      files.set(file, (files.get(file) ?? 0) + 1);
      reasons.set(reason, files);
    }
  }
  return reasons;
}

/** The last block of `npm test`. */
export function skippedLines(reasons) {
  const sum = (files) => [...files.values()].reduce((total, count) => total + count, 0);
  return [...reasons]
    .sort(([, a], [, b]) => sum(b) - sum(a))
    .map(([reason, files]) => {
      const places = [...files].sort().map(([file, count]) => `${file} (${count})`);
      return `skipped, ${reason}: ${places.join(', ')}`;
    });
}
