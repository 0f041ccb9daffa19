import { type ErrorCode, SonogroundError } from '../../util/errors/index.js';

/** What the server reads and a browser does not. */
const HINTS: Readonly<Partial<Record<ErrorCode, string>>> = {
  E_IMAGE_BROWSER: '`npx sonoground serve` opens it as it is',
  E_IMAGE_UNREADABLE: 'TIFF and NIfTI are read by `npx sonoground serve`',
};

/** An error in words for the person at the page, with the command that helps where there is one. */
export function wordsForPage(error: unknown): string {
  const words = error instanceof Error ? (error.message.split('\n')[0] as string) : String(error);
  const hint = error instanceof SonogroundError ? HINTS[error.code] : undefined;
  return hint === undefined ? words : `${words}. ${hint}`;
}
