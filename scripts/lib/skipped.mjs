/** Skipped tests of a jest run, with their reasons, which the names of conditional tests contain. */
import { relative } from 'node:path';

/** A reason at the end of a test's or group's name: `(skipped: …)`, `(skipped where …)`. */
const REASON = /\(skipped(?::|, as)? (.*)\)$/;

/**
 * Parses jest's JSON report.
 *
 * @returns the reasons, each with the number and the files of the skipped tests.
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
