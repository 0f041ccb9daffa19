import { type Logger, silentLogger, UsageError } from '../../util/index.js';
import { findImporter } from './registry.js';
import type { Importer, Protocol } from './types.js';

/** Options of an import. */
export interface ImportOptions {
  /** A dataset's name in any spelling. */
  readonly dataset: string;
  /** The unpacked dataset. */
  readonly from: string;
  /** Output folder, in the project's layout. */
  readonly to: string;
  /** Default: `strict`. */
  readonly protocol?: Protocol;
  /** Whether a bad file stops the import. Default: `skip`, which lists and skips bad files. */
  readonly onBad?: 'stop' | 'skip';
  /** Seed of the split. Default: 42. */
  readonly seed?: number;
  /** Uses the publisher's splits. Default: false. */
  readonly officialSplits?: boolean;
  /** A split file to use: the `splits.json` of another import. Default: a split drawn by the seed. */
  readonly splits?: string | undefined;
  /** One of the dataset's variants. Default: its first; the paper's under `protocol: paper`. */
  readonly variant?: string;
  /** Phrases of the objects of a set that names none. */
  readonly prompts?: readonly string[];
  /** Replaces an earlier import, or writes into a folder that is not empty. Default: false. */
  readonly overwrite?: boolean;
  readonly logger?: Logger;
  /** Progress callback. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** An import with validated options. */
export interface Task {
  readonly importer: Importer;
  readonly options: Required<Omit<ImportOptions, 'variant' | 'onProgress' | 'splits'>> &
    Pick<ImportOptions, 'onProgress' | 'splits'>;
  readonly variant: string | undefined;
}

/**
 * Validates the options and fills in defaults.
 *
 * @throws UsageError for an unknown name or an option that the dataset does not have.
 */
export function taskOf(given: ImportOptions): Task {
  const importer = findImporter(given.dataset);
  const protocol = given.protocol ?? 'strict';
  const options = {
    protocol,
    onBad: 'skip' as const,
    seed: 42,
    officialSplits: false,
    prompts: [],
    overwrite: false,
    logger: silentLogger,
    ...given,
  };
  if (!Number.isSafeInteger(options.seed) || options.seed < 0)
    throw new UsageError({
      code: 'E_OPTION_VALUE',
      where: '--seed',
      what: `${options.seed} is not an integer of at least 0`,
      fix: 'For example --seed 42',
    });
  if (protocol === 'paper' && importer.paper === undefined) {
    const what = `the paper has no dataset ${importer.name}`;
    throw new UsageError({ code: 'E_OPTION_CONFLICT', where: '--protocol', what, fix: 'Leave --protocol out' });
  }
  if (options.officialSplits && importer.officialSplits === undefined) {
    const what = `${importer.title} was published without splits`;
    throw new UsageError({
      code: 'E_OPTION_CONFLICT',
      where: '--official-splits',
      what,
      fix: 'Leave it out: the splits are drawn by --seed',
    });
  }
  if (options.splits !== undefined && (protocol === 'paper' || options.officialSplits)) {
    const other =
      protocol === 'paper' ? '--protocol paper divides single outlines' : "--official-splits asks for the publisher's splits";
    throw new UsageError({
      code: 'E_OPTION_CONFLICT',
      where: '--splits',
      what: `it cannot be used here: ${other}`,
      fix: 'Leave one of them out',
    });
  }
  const variants = importer.variants ?? [];
  if (given.variant !== undefined && !variants.includes(given.variant)) {
    const fix = variants.length === 0 ? 'Leave --variant out' : `Choose one of ${variants.join(', ')}`;
    throw new UsageError({
      code: 'E_OPTION_VALUE',
      where: '--variant',
      what: `${importer.title} has no variant ${given.variant}`,
      fix,
    });
  }
  const variant = given.variant ?? (protocol === 'paper' ? (importer.paperVariant ?? variants[0]) : variants[0]);
  return { importer, options, variant };
}

/** Identifies the kind of import of a folder; a different seed merely splits it again. */
export function kindOf({ importer, options, variant }: Task): string {
  return [importer.name, options.protocol, ...(variant === undefined ? [] : [variant])].join(' ');
}
