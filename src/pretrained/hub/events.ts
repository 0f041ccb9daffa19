/** What happens during a download, for whoever shows it. */
export type HubEvent =
  /** The revision is a commit from here on. */
  | { readonly kind: 'resolved'; readonly repo: string; readonly revision: string; readonly commit: string }
  /** A file is in the cache already, checksum and all, or is fetched, from a byte on. */
  | { readonly kind: 'cached'; readonly file: string; readonly bytes: number }
  | { readonly kind: 'fetching'; readonly file: string; readonly bytes: number; readonly from: number }
  /** Bytes of this run, over all files; the total leaves out what was there before. */
  | { readonly kind: 'progress'; readonly file: string; readonly done: number; readonly total: number }
  | { readonly kind: 'retry'; readonly reason: string; readonly waitMs: number }
  /** Another process fetches the same file. */
  | { readonly kind: 'waiting'; readonly file: string }
  /** The hub was not asked, and a complete copy in the cache is used. */
  | { readonly kind: 'cache-only'; readonly reason: string };

/** Takes events; must not throw. */
export type HubReport = (event: HubEvent) => void;
