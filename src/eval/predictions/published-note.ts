import type { BuiltEntry } from '../../methods/index.js';

/** How the published form of a method differs, for the row of either form; undefined if there is one form. */
export function publishedNote(
  { asPublished, departedBy = 'comparison' }: Pick<BuiltEntry, 'asPublished' | 'departedBy'>,
  isPublishedForm: boolean,
): string | undefined {
  if (asPublished === undefined) return undefined;
  if (departedBy === 'authors')
    return isPublishedForm ? `as in its authors’ code: ${asPublished}` : `corrected; in its authors’ code, ${asPublished}`;
  return isPublishedForm
    ? `as the published comparison ran it: ${asPublished}`
    : `as its authors run it; the published comparison departed from that: ${asPublished}`;
}
