import { CheckpointError } from './errors/index.js';

/** Callback for each file read. */
export type ReadListener = (path: string) => void;

let listener: ReadListener = () => {};

let known: ReadonlySet<string> | undefined;

/**
 * Registers a listener for reads and the list of existing files. Only listed files are requested, as a request for a missing file
 * appears as an error in the browser's console.
 */
export function watchModelFiles(files: Iterable<string>, to: ReadListener): void {
  known = new Set(files);
  listener = to;
}

/** Browser counterpart of `files.ts`, reading from the page's web server: paths are relative to the page. */
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
