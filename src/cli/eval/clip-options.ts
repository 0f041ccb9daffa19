import { shippedModels } from '../../pretrained/index.js';
import { UsageError } from '../../util/index.js';
import { CLIP_PHANTOMS } from '../../workflows/index.js';

/** The options of `eval` for clips. */
export interface ClipEvalOptions {
  clips: string[] | undefined;
  clipCount: number | undefined;
  clipFrames: number | undefined;
  detector: string | undefined;
  masker: string | undefined;
  out: string | undefined;
}

/** The same as yargs describes them. */
export const clipEvalOptions = {
  clips: {
    type: 'string',
    array: true,
    describe: `evaluate tracking instead: ${CLIP_PHANTOMS}, which move, or folders of imported datasets whose groups are sequences of frames`,
  },
  'clip-count': { type: 'number', describe: 'with --clips: clips of phantoms; default: 6' },
  'clip-frames': { type: 'number', describe: 'with --clips: frames of each; default: 30' },
  detector: { type: 'string', describe: `with --clips: the detector; default: ${shippedModels.detector}` },
  masker: { type: 'string', describe: `with --clips: the masker, best with a memory; default: ${shippedModels.masker}` },
  out: { type: 'string', describe: 'with --clips: folder of the results; default: runs/clips' },
} as const;

/** Options of `eval` that apply to clips too, besides those for clips alone. */
const SHARED = ['clips', 'split', 'adapter', 'backend', ...Object.keys(clipEvalOptions)];

/**
 * Refuses options that would have no effect: those for clips without `--clips`, and most others with it.
 *
 * @throws UsageError naming the option.
 */
export function checkClipOptions(argv: Readonly<Record<string, unknown>>): void {
  const given = Object.entries(argv).filter(([name, value]) => /^[a-z]/.test(name) && !name.startsWith('$') && isGiven(value));
  const withClips = argv['clips'] !== undefined;
  const wrong = given.find(([name]) =>
    withClips ? !SHARED.includes(dashed(name)) : Object.hasOwn(clipEvalOptions, dashed(name)),
  );
  if (wrong === undefined) return;
  throw new UsageError({
    code: 'E_OPTION_CONFLICT',
    where: `--${dashed(wrong[0])}`,
    what: withClips ? 'it does not apply to clips' : 'it is for clips',
    fix: withClips ? 'Leave it out, or --clips' : 'Leave it out, or name the clips with --clips',
  });
}

/** Whether an option has a value that yargs did not fill in. */
function isGiven(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
}

function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
