/** A file reference in a list. */
export interface Named {
  readonly name: string;
  /** Alternative addresses. */
  readonly addresses?: readonly string[];
}

/** The components of a path of either system. Drops `.` and drives; `..` removes the preceding component. */
export function stepsOf(path: string): string[] {
  const steps: string[] = [];
  for (const step of path.replace(/^[a-z]:/i, '').split(/[\\/]/)) {
    if (step === '..') steps.pop();
    else if (step !== '' && step !== '.') steps.push(step);
  }
  return steps;
}

/**
 * Interpretations of a name, plainest first: literal; for a URL, without server and query, or the path in its query, as in Label
 * Studio; percent-decoded.
 */
export function readingsOf(name: string): string[][] {
  const plain = address(name) ?? [name];
  const readings = [...plain, ...plain.map(decoded)].filter((reading, i, all) => all.indexOf(reading) === i);
  return readings.map(stepsOf).filter((steps) => steps.length > 0);
}

function address(name: string): string[] | undefined {
  const [, path, query] = /^(?:[a-z][a-z0-9+.-]+:\/\/[^/]*)?\/?([^?#]*)(?:\?([^#]*))?/i.exec(name) ?? [];
  if (path === undefined || path === '') return undefined;
  const inside = /(?:^|&)d=([^&]+)/.exec(query ?? '')?.[1];
  const bare = /^[a-z][a-z0-9+.-]+:\/\//i.test(name) ? [] : [name];
  return [...bare, ...(inside === undefined ? [] : [inside]), path];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // The name contains a literal percent sign.
    return text;
  }
}
