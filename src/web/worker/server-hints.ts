import { type ErrorCode, SonogroundError } from '../../util/errors/index.js';

/** Hints for inputs that the server supports but the browser does not. */
const HINTS: Readonly<Partial<Record<ErrorCode, string>>> = {
  E_IMAGE_BROWSER: '`npx sonoground serve` opens it as it is',
  E_IMAGE_UNREADABLE: 'TIFF and NIfTI are read by `npx sonoground serve`',
};

/** A readable message for an error, with a suggested command if there is one. */
export function wordsForPage(error: unknown): string {
  const words = error instanceof Error ? (error.message.split('\n')[0] as string) : String(error);
  const hint = error instanceof SonogroundError ? HINTS[error.code] : undefined;
  return hint === undefined ? words : `${words}. ${hint}`;
}
