/** What a list calls a file. */
export interface Named {
  readonly name: string;
  /** Where else it is said to be. */
  readonly addresses?: readonly string[];
}

/** The steps of a path of either system. `.` is dropped, `..` takes back the step before it, and a drive is no step. */
export function stepsOf(path: string): string[] {
  const steps: string[] = [];
  for (const step of path.replace(/^[a-z]:/i, '').split(/[\\/]/)) {
    if (step === '..') steps.pop();
    else if (step !== '' && step !== '.') steps.push(step);
  }
  return steps;
}

/**
 * The ways to read a name, the plainest first: as it is; of an address without server and query, or the query's own path, as
 * Label Studio has it; with `%20` and the like put back.
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
    // A name with a per cent sign of its own.
    return text;
  }
}
