import type { TreeFile } from '../file-tree.js';
import { type Named, readingsOf, stepsOf } from './named-path.js';
import { splitNamed } from './split-named.js';

/** Quality of a match beyond the common suffix: compared lexicographically, larger is better. */
type Rank = readonly number[];

/** A file matched to a name. */
export interface Match {
  readonly file: TreeFile;
  /** Length of the common suffix, in path components. */
  readonly common: number;
  /** All components of the name match. */
  readonly whole: boolean;
  /** Agreement of the splits named by path and list: 2 the same word, 1 a synonym, -1 a different split. */
  readonly split: number;
  /** Number of leading folders shared with the list. */
  readonly nearness: number;
  readonly rank: Rank;
}

/** The list that names files: its location and its other names. */
export interface NamingList {
  readonly file: TreeFile;
  /** Folders of its names at each position, counted from the end: `1 p1` for `p1/001.png`. */
  readonly folders: ReadonlySet<string>;
}

/** Folders that contain masks or drawings; searched only for names that include the folder. */
const NOT_IMAGES = /^(masks?|labels?|seg(mentations?)?|segmentation(class|object)|overlays?|visuali[sz]ations?)$/i;

const MASKS = /^masks?$/i;

const IMAGES = /^(images?|imgs?|jpegimages)$/i;

const ENDING = /\.(png|jpe?g|bmp|tiff?|webp)$/;

/**
 * Finds the file that a list refers to. Lists move between computers, so paths are compared from the end. Of several files with
 * the longest common suffix, the one nearest to the list wins, then, in this order, the one whose path names the list's own
 * split, that matches the published address, that lies where COCO stores images, and that is spelt the same.
 */
export class PathLookup {
  /** Files by each suffix of their path (`001.png`, `p1/001.png`, …), with and without the image extension. */
  private readonly byEnd = new Map<string, Place[]>();
  private readonly byStem = new Map<string, Place[]>();

  private readonly kind: 'images' | 'masks';

  /**
   * @param files - the files to search.
   * @param kind - `masks` are searched in a folder of that name unless their own path names another one.
   */
  constructor(files: readonly TreeFile[], kind: 'images' | 'masks' = 'images') {
    this.kind = kind;
    for (const file of files) {
      const steps = stepsOf(file.relative);
      const keys = steps.map(keyOf);
      const place = { file, steps, keys };
      for (let k = 1; k <= keys.length; k++) {
        const end = keys.slice(-k).join('/');
        add(this.byEnd, end, place);
        if (ENDING.test(end)) add(this.byStem, end.replace(ENDING, ''), place);
      }
    }
  }

  /**
   * @param named - the path, and further addresses of the same file.
   * @returns the file, or why there is none.
   */
  find(named: Named, list: NamingList): Match | string {
    const rules: readonly Rule[] = this.kind === 'images' ? [forImages] : [inMasks, byItsFolder];
    for (const steps of readingsOf(named.name)) {
      const keys = steps.map(keyOf);
      for (const rule of rules) {
        for (let k = keys.length; k > 0; k--) {
          const end = keys.slice(-k).join('/');
          // Images are often re-encoded without updating the list.
          for (const places of [this.byEnd.get(end), ENDING.test(end) ? this.byStem.get(end.replace(ENDING, '')) : undefined]) {
            const wanted = { steps, keys, common: k };
            const fitting = (places ?? []).filter((place) => rule(place.steps, wanted, list));
            const matches = fitting.flatMap((place) => matchOf(place, wanted, named, list) ?? []);
            if (matches.length > 0) return bestOf(matches);
          }
        }
      }
    }
    return 'it is not there';
  }
}

/** Whether a file is eligible at all. */
type Rule = (own: readonly string[], wanted: Wanted, list: NamingList) => boolean;

/** A mask folder holds no images, unless the name includes it, the list lies in it too, or it has an images folder. */
function forImages(own: readonly string[], { common }: Wanted, list: NamingList): boolean {
  const above = own.slice(0, -common);
  const from = Math.max(nearness(own, list.file), above.findLastIndex((step) => IMAGES.test(step)) + 1);
  return !above.slice(from).some((step) => NOT_IMAGES.test(step));
}

function inMasks(own: readonly string[]): boolean {
  return own.slice(0, -1).some((step) => MASKS.test(step));
}

/** Outside masks/, only files named with their folder. */
function byItsFolder(_own: readonly string[], { common, steps }: Wanted): boolean {
  return common > 1 && common === steps.length;
}

interface Place {
  readonly file: TreeFile;
  readonly steps: readonly string[];
  readonly keys: readonly string[];
}

interface Wanted extends Omit<Place, 'file'> {
  readonly common: number;
}

function bestOf(matches: readonly Match[]): Match | string {
  const best = matches.reduce((most, match) => (compare(match.rank, most.rank) > 0 ? match : most));
  const equal = matches.filter(({ rank }) => compare(rank, best.rank) === 0);
  if (equal.length === 1) return best;
  const names = equal.slice(0, 3).map(({ file }) => file.relative);
  return `${equal.length} files may be meant: ${names.join(', ')}${equal.length > 3 ? ', …' : ''}`;
}

/** The folders of names at each position, for {@link NamingList}. */
export function foldersOf(names: Iterable<string>): Set<string> {
  const folders = new Set<string>();
  for (const name of names)
    for (const steps of readingsOf(name).slice(0, 1))
      for (let k = 1; k < steps.length; k++) folders.add(`${k} ${keyOf(steps.at(-1 - k) as string)}`);
  return folders;
}

/** Compares ranks lexicographically. */
export function compare(a: Rank, b: Rank): number {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at < 0 ? 0 : (a[at] as number) - (b[at] as number);
}

function matchOf({ file, steps: own, keys }: Place, wanted: Wanted, named: Named, list: NamingList): Match | undefined {
  const { common, steps } = wanted;
  const whole = common === steps.length;
  const beyond = keys.at(-1 - common);
  // If other names of the list include that folder, this one would too.
  if (!whole && beyond !== undefined && list.folders.has(`${common} ${beyond}`)) return undefined;
  const split = splitRank(own, list.file);
  const addresses = (named.addresses ?? []).map((address) => commonEnd(keys, (readingsOf(address)[0] ?? []).map(keyOf)));
  const spelt = commonEnd(own.map(composed), steps.map(composed));
  const near = nearness(own, list.file);
  const rank = [near, split, Math.max(0, ...addresses), placeRank(own, list.file, steps), spelt];
  return { file, common, whole, split, nearness: near, rank };
}

function commonEnd(a: readonly string[], b: readonly string[]): number {
  let k = 0;
  while (k < Math.min(a.length, b.length) && a.at(-1 - k) === b.at(-1 - k)) k++;
  return k;
}

/** Number of leading folders that a file shares with its list. */
function nearness(own: readonly string[], list: TreeFile): number {
  const [a, b] = [own.slice(0, -1), stepsOf(list.relative).slice(0, -1)];
  const at = a.findIndex((step, i) => step !== b[i]);
  return at < 0 ? a.length : at;
}

function splitRank(own: readonly string[], list: TreeFile): number {
  const folders = own.slice(0, -1);
  const word = /^(?:instances_)?(.+?)\.json$/i.exec(stepsOf(list.relative).at(-1) ?? '')?.[1]?.toLowerCase();
  if (folders.some((step) => step.toLowerCase() === word)) return 2;
  const split = splitNamed(list.relative);
  if (split === undefined) return 0;
  const others = folders.flatMap((step) => splitNamed(step) ?? []);
  return others.length === 0 ? 0 : others.includes(split) ? 1 : -1;
}

/** Ranks COCO's locations: beside the list, in images/ there or in a parent folder, or in a folder for images. */
function placeRank(own: readonly string[], list: TreeFile, steps: readonly string[]): number {
  const folder = stepsOf(list.relative).slice(0, -1);
  const places = [folder, folder.slice(0, -1)].flatMap((base) => [
    [...base, ...steps],
    [...base, 'images', ...steps],
  ]);
  const at = own.join('/').toLowerCase();
  if (places.some((place) => place.join('/').toLowerCase() === at)) return 2;
  return Number(own.slice(0, -1).some((step) => IMAGES.test(step)));
}

function composed(step: string): string {
  return step.normalize('NFC');
}

function keyOf(step: string): string {
  return composed(step).toLowerCase();
}

function add(map: Map<string, Place[]>, key: string, place: Place): void {
  const own = map.get(key);
  if (own === undefined) map.set(key, [place]);
  else own.push(place);
}
