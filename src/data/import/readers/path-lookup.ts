import type { TreeFile } from '../file-tree.js';
import { type Named, readingsOf, stepsOf } from './named-path.js';
import { splitNamed } from './split-named.js';

/** How well a file answers to a name beyond their common end: compared from the first entry on, larger is better. */
type Rank = readonly number[];

/** A file that a name was given for. */
export interface Match {
  readonly file: TreeFile;
  /** Steps of the name's end that are the file's too. */
  readonly common: number;
  /** All steps of the name are the file's. */
  readonly whole: boolean;
  /** The path names the split that the list names: 2 by the same word, 1 by another; -1: it names another split. */
  readonly split: number;
  /** Folders from the top that it shares with the list. */
  readonly nearness: number;
  readonly rank: Rank;
}

/** The list that names files: where it lies, and what else it names. */
export interface NamingList {
  readonly file: TreeFile;
  /** Folders that its names have at each place, counted from the end: `1 p1` for `p1/001.png`. */
  readonly folders: ReadonlySet<string>;
}

/** Folders of which pictures are masks or drawings; one is looked into only for a name that has it. */
const NOT_IMAGES = /^(masks?|labels?|seg(mentations?)?|segmentation(class|object)|overlays?|visuali[sz]ations?)$/i;

const MASKS = /^masks?$/i;

const IMAGES = /^(images?|imgs?|jpegimages)$/i;

const ENDING = /\.(png|jpe?g|bmp|tiff?|webp)$/;

/**
 * Finds the file that a list means by a path. Lists travel: the path may begin on another computer, so it is compared with the
 * files' from the end. Of several with the longest common end the one nearest to the list is taken, then the one whose path
 * names the list's own split, then the one whose published address says so, that lies where COCO has images, that is spelt alike.
 */
export class PathLookup {
  /** Files by each end of their paths: `001.png`, `p1/001.png`, …; and without the ending of a picture. */
  private readonly byEnd = new Map<string, Place[]>();
  private readonly byStem = new Map<string, Place[]>();

  private readonly kind: 'images' | 'masks';

  /**
   * @param files - those that are looked among.
   * @param kind - `masks` are looked for in a folder that is called so, if their name does not name another one.
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
          // Images are coded anew often, and their list is left as it was.
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

/** Whether a file may be meant at all. */
type Rule = (own: readonly string[], wanted: Wanted, list: NamingList) => boolean;

/** A folder of masks holds no image, if the name does not name it, the list lies in it too, or it has a folder for images. */
function forImages(own: readonly string[], { common }: Wanted, list: NamingList): boolean {
  const above = own.slice(0, -common);
  const from = Math.max(nearness(own, list.file), above.findLastIndex((step) => IMAGES.test(step)) + 1);
  return !above.slice(from).some((step) => NOT_IMAGES.test(step));
}

function inMasks(own: readonly string[]): boolean {
  return own.slice(0, -1).some((step) => MASKS.test(step));
}

/** Outside of masks/ only what is named with its folder. */
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

/** The folders that names have at each place, for {@link NamingList}. */
export function foldersOf(names: Iterable<string>): Set<string> {
  const folders = new Set<string>();
  for (const name of names)
    for (const steps of readingsOf(name).slice(0, 1))
      for (let k = 1; k < steps.length; k++) folders.add(`${k} ${keyOf(steps.at(-1 - k) as string)}`);
  return folders;
}

/** Compares ranks as words are compared. */
export function compare(a: Rank, b: Rank): number {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at < 0 ? 0 : (a[at] as number) - (b[at] as number);
}

function matchOf({ file, steps: own, keys }: Place, wanted: Wanted, named: Named, list: NamingList): Match | undefined {
  const { common, steps } = wanted;
  const whole = common === steps.length;
  const beyond = keys.at(-1 - common);
  // Where the list has names in that folder, this name would have it too.
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

/** Folders from the top that a file shares with its list. */
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

/** Beside the list or in images/ there or a folder above, as COCO has it; in a folder for images. */
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
