/** Progress events of a download. */
export type HubEvent =
  /** The revision was resolved to a commit. */
  | { readonly kind: 'resolved'; readonly repo: string; readonly revision: string; readonly commit: string }
  /** A file is already in the cache and verified, or is fetched, starting at a byte offset. */
  | { readonly kind: 'cached'; readonly file: string; readonly bytes: number }
  | { readonly kind: 'fetching'; readonly file: string; readonly bytes: number; readonly from: number }
  /** Bytes fetched in this run, over all files; the total excludes bytes that existed before. */
  | { readonly kind: 'progress'; readonly file: string; readonly done: number; readonly total: number }
  | { readonly kind: 'retry'; readonly reason: string; readonly waitMs: number }
  /** Another process is fetching the same file. */
  | { readonly kind: 'waiting'; readonly file: string }
  /** The hub was not contacted; a complete copy in the cache is used. */
  | { readonly kind: 'cache-only'; readonly reason: string };

/** Receives events; must not throw. */
export type HubReport = (event: HubEvent) => void;
