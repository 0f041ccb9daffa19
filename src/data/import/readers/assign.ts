import type { TreeFile } from '../file-tree.js';
import type { Named } from './named-path.js';
import { compare, type Match, type NamingList, type PathLookup } from './path-lookup.js';

/** A list entry in need of a file. */
export interface Wanted<K> {
  readonly key: K;
  /** The entry, for messages. */
  readonly entry: string;
  readonly named: Named;
  readonly list: NamingList;
  /** Entries of one owner may share a file, each under a different name. */
  readonly shared?: { readonly with: object; readonly as: string };
}

/** The file of an entry. */
export type Claim = Pick<Match, 'file' | 'common'>;

/**
 * Assigns each entry a file. Entries share a file only if declared as shared; otherwise the better match wins and, on a tie,
 * neither does.
 *
 * @returns the file of each entry, or why it has none.
 */
export function assign<K>(wanted: readonly Wanted<K>[], lookup: PathLookup): Map<K, Claim | string> {
  const found = wanted.map((want) => ({ want, match: lookup.find(want.named, want.list) }));
  // A list whose images lie in its own split's folder does not match files of another split.
  const apart = new Set<NamingList>();
  for (const { want, match } of found) if (typeof match === 'object' && match.split > 0) apart.add(want.list);
  const result = new Map<K, Claim | string>();
  const byFile = new Map<TreeFile, { readonly want: Wanted<K>; readonly match: Match }[]>();
  for (const { want, match } of found) {
    if (typeof match === 'string') result.set(want.key, match);
    else if (match.split < 0 && apart.has(want.list))
      result.set(want.key, `only ${match.file.relative} has its name, which is of another split`);
    else {
      const own = byFile.get(match.file);
      if (own === undefined) byFile.set(match.file, [{ want, match }]);
      else own.push({ want, match });
    }
  }
  for (const [file, claims] of byFile) {
    const best = claims.reduce((most, claim) => (compare(fitOf(claim.match), fitOf(most.match)) > 0 ? claim : most));
    const equal = claims.filter(({ match }) => compare(fitOf(match), fitOf(best.match)) === 0);
    const winners = new Set(mayShare(equal) ? equal : []);
    for (const claim of claims) {
      const other = claims.find((one) => one !== claim) as (typeof claims)[number];
      const rival = winners.size > 0 ? best : other;
      result.set(
        claim.want.key,
        winners.has(claim) ? claim.match : `its file ${file.relative} is also that of ${rival.want.entry}`,
      );
    }
  }
  return result;
}

function fitOf({ whole, split, nearness }: Match): readonly number[] {
  return [Number(whole), split, nearness];
}

function mayShare<K>(claims: readonly { readonly want: Wanted<K> }[]): boolean {
  if (claims.length === 1) return true;
  const shares = claims.map(({ want }) => want.shared);
  const owners = new Set(shares.map((share) => share?.with));
  return !owners.has(undefined) && owners.size === 1 && new Set(shares.map((share) => share?.as)).size === claims.length;
}
