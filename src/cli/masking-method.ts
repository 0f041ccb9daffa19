import { type BoxEntry, findMethod, requireTakes, type TextEntry, weightsOf } from '../methods/index.js';
import { UsageError } from '../util/index.js';

/** A method in place of the masker, or of both models, and its weights. */
export interface MaskingMethod<Entry = BoxEntry | TextEntry> {
  readonly entry: Entry;
  readonly weights: string;
}

interface Named {
  readonly name: string | undefined;
  readonly weights: string | undefined;
  readonly masker: string | undefined;
  readonly maskerAdapter: string | undefined;
}

/**
 * The method of `--method`, which masks the boxes that the detector finds for a prompt, or finds by itself what the prompt says.
 *
 * @throws UsageError for an unknown method, one that takes neither boxes nor text, or options that belong to another masker.
 */
export function maskingMethod({ name, weights, masker, maskerAdapter }: Named): MaskingMethod | undefined {
  if (name === undefined) {
    if (weights === undefined) return undefined;
    throw new UsageError({
      code: 'E_OPTION_CONFLICT',
      where: '--weights',
      what: 'no method is named that it could belong to',
      fix: 'Name one with --method, or the weights of the models with --detector and --masker',
    });
  }
  const entry = findMethod(name);
  if (entry.takes !== 'text') requireTakes(entry, 'box', '--method');
  const [other] = Object.entries({ '--masker': masker, '--masker-adapter': maskerAdapter }).filter(
    ([, value]) => value !== undefined,
  );
  if (other !== undefined)
    throw new UsageError({
      code: 'E_OPTION_CONFLICT',
      where: other[0],
      what: `${name} takes the place of the masker`,
      fix: 'Leave one of them out',
    });
  return { entry, weights: weightsOf(entry, weights?.startsWith(`${name}=`) ? weights.slice(name.length + 1) : weights) };
}

/** Whether a method finds by itself what a prompt says. */
export function findsByText(method: MaskingMethod | undefined): method is MaskingMethod<TextEntry> {
  return method?.entry.takes === 'text';
}

/**
 * @param others - options of our detector by name, where they are given.
 * @throws UsageError for any of them: a method that finds by text has no detector, and gives no scores.
 */
export function refuseDetectorOptions({ entry }: MaskingMethod<TextEntry>, others: Readonly<Record<string, unknown>>): void {
  const [other] = Object.entries(others).find(([, value]) => value !== undefined) ?? [];
  if (other === undefined) return;
  throw new UsageError({
    code: 'E_OPTION_CONFLICT',
    where: `--${other}`,
    what: `${entry.name} takes the place of the detector, and gives no scores`,
    fix: 'Leave one of them out',
  });
}
