import { CheckpointError } from './errors/index.js';

/** Told of each file that has come. */
export type ReadListener = (path: string) => void;

let listener: ReadListener = () => {};

let known: ReadonlySet<string> | undefined;

/**
 * Has somebody watch what is read, and says which files there are, by their paths: no other is asked for, as each question for
 * one that is not there is an error in the browser's log.
 */
export function watchModelFiles(files: Iterable<string>, to: ReadListener): void {
  known = new Set(files);
  listener = to;
}

/** As `files.ts`, from the web server that the page came from: paths are relative to the page. */
export const readModelFile: typeof import('./files.js').readModelFile = async (path) => {
  if (known?.has(path) === false) return undefined;
  const response = await fetch(path, { credentials: 'same-origin' }).catch((cause: unknown) => {
    throw new CheckpointError({
      code: 'E_PAGE_SERVER',
      where: path,
      what: 'the web server does not answer',
      fix: 'Load the page again',
      cause,
    });
  });
  if (response.status === 404) return undefined;
  const bytes = response.ok ? await response.arrayBuffer().catch(() => undefined) : undefined;
  if (bytes === undefined)
    throw new CheckpointError({
      code: 'E_PAGE_SERVER',
      where: path,
      what: response.ok ? 'it broke off' : `the web server answers ${response.status}`,
      fix: 'Load the page again',
    });
  listener(path);
  return new Uint8Array(bytes);
};

export const readModelText: typeof import('./files.js').readModelText = async (path) => {
  const bytes = await readModelFile(path);
  return bytes && new TextDecoder().decode(bytes);
};

export const modelPath: typeof import('./files.js').modelPath = (folder, name) => `${folder}/${name}`;
