import { PixelSizes } from '../../measure/index.js';
import { shown, UsageError } from '../../util/index.js';

/** Options that say how large pixels are. */
export interface PixelSizeOptions {
  mmPerPixel: string | undefined;
  calibration: string | undefined;
}

/** The same as yargs describes them. */
export const pixelSizeOptions = {
  'mm-per-pixel': {
    type: 'string',
    describe:
      'size of a pixel of images whose files do not state it, for measures in millimetres: 0.1, or across x down: 0.1x0.15',
  },
  calibration: {
    type: 'string',
    describe: 'CSV table of such sizes, as HC18 has it: columns filename and pixel_size_mm, optionally width',
  },
} as const;

/** Larger pixels are no pixels of ultrasound: a metre each. */
const MOST = 1000;

/**
 * Reads the sizes that the options give, if any.
 *
 * @throws UsageError for both at once, and for what is no size; DataError for a table that cannot be read.
 */
export async function givenPixelSizes({ mmPerPixel, calibration }: PixelSizeOptions): Promise<PixelSizes | undefined> {
  if (mmPerPixel !== undefined && calibration !== undefined)
    throw new UsageError({
      code: 'E_OPTION_CONFLICT',
      where: '--mm-per-pixel',
      what: 'there is a --calibration too',
      fix: 'Give one of them',
    });
  if (calibration !== undefined) return PixelSizes.read(calibration);
  if (mmPerPixel === undefined) return undefined;
  const values = mmPerPixel.split(/[x×]/i).map((text) => (text.trim() === '' ? Number.NaN : Number(text)));
  const [across = Number.NaN, down = across] = values;
  if (values.length > 2 || ![across, down].every((value) => value > 0 && value <= MOST))
    throw new UsageError({
      code: 'E_OPTION_VALUE',
      where: '--mm-per-pixel',
      what: `${shown(mmPerPixel)} is no size of a pixel in millimetres`,
      fix: 'Give a number above 0, as in 0.1, or two, across and down, as in 0.1x0.15',
    });
  return PixelSizes.all([across, down], '--mm-per-pixel');
}
