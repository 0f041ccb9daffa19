import type { ErrorCode, SonogroundError } from '../util/index.js';

/**
 * Suggested commands for errors of the library, which does not know about commands: as `sonoground NAME` in backticks, which
 * `withTypedCommands` converts to the form that the user types.
 */
const HINTS: Readonly<Partial<Record<ErrorCode, (error: SonogroundError) => string>>> = {
  E_BACKEND_NEEDED: () => 'Run `sonoground setup`, then try again with --backend tensorflow',
  E_BACKEND_UNAVAILABLE: () => 'Run `sonoground setup`, then `sonoground doctor`',
  E_CALIBRATION_DAMAGED: () => '`sonoground eval --calibrate 0.05` makes a new one',
  E_DATA_NO_OBJECTS: () => '`sonoground check-data` shows how its masks were read',
  E_DATA_OVERLAP: () => '`sonoground check-data` shows the images',
  E_DATASET_NOT_IMPORTED: ({ where }) => `\`sonoground import-data --dataset NAME --from DIR --to ${where}\` imports a dataset`,
  E_MODEL_NAME: () => '`sonoground download --list` shows the known names',
  E_MODEL_NOT_DOWNLOADED: ({ where }) => `Run \`sonoground download ${where}\``,
  E_MODEL_NOT_FOUND: () => '`sonoground download --list` shows the known names',
};

/** The suggested command for an error, if any. */
export function commandHint(error: SonogroundError): string | undefined {
  return HINTS[error.code]?.(error);
}
