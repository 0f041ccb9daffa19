import type { BuiltEntry } from '../../methods/index.js';

/** How the published comparison departed from a method's authors, for the row of either form; undefined if it did not. */
export function publishedNote({ asPublished }: BuiltEntry, isPublishedForm: boolean): string | undefined {
  if (asPublished === undefined) return undefined;
  return isPublishedForm
    ? `as the published comparison ran it: ${asPublished}`
    : `as its authors run it; the published comparison departed from that: ${asPublished}`;
}
