import type { Split } from '../../coco.js';
import { naturalOrder, type TreeFile } from '../file-tree.js';
import type { Found, MaskReading, MaskSource, Problem, ScanOptions, SourceRecord } from '../types.js';

/** Image files. */
const IMAGE_NAME = /\.(png|jpe?g|bmp|tiff?|webp)$/i;

/** Named groups of a file name, in lower case. */
type Names = Readonly<Record<string, string | undefined>>;

/** An image with the masks of its name. */
interface Pair {
  readonly image: TreeFile;
  readonly masks: readonly TreeFile[];
  readonly names: Names;
}

/** How to distinguish and pair the images and masks of a dataset. */
export interface PairRule {
  /** Matches the path of an image (`/` between folders, at any level). Its named groups form the key. */
  readonly image: RegExp;
  /** Matches the path of a mask; groups shared with the image must be equal. */
  readonly mask: RegExp;
  /** Groups that form the key, `id` last. Default: `split`, `class` and `id`, as far as present. */
  readonly key?: readonly string[];
  /** Compares numeric names as numbers: 7 equals 007. */
  readonly numeric?: boolean;
  /** Files of the dataset that are not used. */
  readonly ignore?: RegExp;
  /** Images that may lack a mask: they are negatives. */
  readonly negative?: (names: Names) => boolean;
}

/** Result of pairing. */
export interface Pairs {
  readonly pairs: readonly Pair[];
  readonly problems: readonly Problem[];
}

const KEY = ['split', 'class', 'id'];

/**
 * Pairs images and masks by name, ignoring case and the folder level at which the archive was unpacked. Files that have no
 * partner, occur twice or do not belong among the images are problems.
 */
export function pairFiles(files: readonly TreeFile[], rule: PairRule): Pairs {
  const images = new Map<string, { file: TreeFile; names: Names }>();
  const masks = new Map<string, TreeFile[]>();
  const problems: Problem[] = [];
  const strange: TreeFile[] = [];
  const used = new Set<string>();
  for (const file of shallowFirst(files)) {
    if (rule.ignore?.test(file.full)) continue;
    const mask = rule.mask.exec(file.full);
    const match = mask ?? rule.image.exec(file.full);
    if (match === null) {
      if (IMAGE_NAME.test(file.relative)) strange.push(file);
      continue;
    }
    used.add(folderOf(file));
    const names = lowered(match.groups ?? {});
    const key = keyOf(rule.numeric === true ? numbered(names) : names, rule.key ?? KEY);
    if (mask !== null) {
      const others = masks.get(key) ?? [];
      // The same name a level further down is a second copy of the archive.
      const again = others.find((other) => nameOf(other) === nameOf(file) && folderOf(other) !== folderOf(file));
      if (again === undefined) {
        others.push(file);
        masks.set(key, others);
      }
      if (again !== undefined) problems.push({ file: file.relative, what: `a second copy of ${again.relative}` });
      continue;
    }
    const other = images.get(key);
    if (other === undefined) images.set(key, { file, names });
    else problems.push({ file: file.relative, what: `a second copy of ${other.file.relative}` });
  }
  const pairs: Pair[] = [];
  for (const [key, { file, names }] of images) {
    const own = masks.get(key) ?? [];
    masks.delete(key);
    if (own.length > 0 || rule.negative?.(names)) pairs.push({ image: file, masks: own, names });
    else problems.push({ file: file.relative, what: 'it has no mask' });
  }
  for (const orphan of [...masks.values()].flat()) problems.push({ file: orphan.relative, what: 'a mask without its image' });
  for (const file of strange)
    if (used.has(folderOf(file))) problems.push({ file: file.relative, what: 'its name is none of this dataset' });
  return { pairs: pairs.sort((a, b) => naturalOrder(a.image.full, b.image.full)), problems };
}

/** A dataset that consists of nothing but images with masks. */
export interface MaskFolders extends PairRule {
  /** The meaning of a pair's mask; undefined if the mask shows no object. */
  readonly read: (names: Names, mask: TreeFile) => MaskReading | undefined;
  /** Unique in the dataset. Default: the components of the key. */
  readonly name?: (names: Names) => string;
  /** Default: the name, so that each image is its own group. */
  readonly group?: (names: Names) => string;
  readonly split?: (names: Names) => Split | undefined;
  readonly list?: (names: Names) => string | undefined;
}

/** Creates the scan of a dataset that consists of nothing but images with masks. */
export function maskFolders(rule: MaskFolders): (options: Pick<ScanOptions, 'tree'>) => Promise<Found> {
  return async ({ tree }) => {
    const { pairs, problems } = pairFiles(tree.files, rule);
    return { records: pairs.map((pair) => recordOf(pair, rule)), problems };
  };
}

function recordOf({ image, masks, names }: Pair, rule: MaskFolders): SourceRecord {
  const name = rule.name?.(names) ?? keyOf(names, rule.key ?? KEY);
  const split = rule.split?.(names);
  const list = rule.list?.(names);
  return {
    name,
    image: { file: image.path },
    masks: masks.flatMap((mask): MaskSource[] => {
      const read = rule.read(names, mask);
      return read === undefined ? [] : [{ kind: 'file', file: mask.path, read }];
    }),
    group: rule.group?.(names) ?? name,
    ...(split === undefined ? {} : { split }),
    ...(list === undefined ? {} : { list }),
  };
}

/** Sorts files nearest to the root first, so that of two copies the outer one counts. */
function shallowFirst(files: readonly TreeFile[]): TreeFile[] {
  const depth = ({ relative }: TreeFile) => relative.split('/').length;
  return [...files].sort((a, b) => depth(a) - depth(b));
}

function keyOf(names: Names, groups: readonly string[]): string {
  return groups.flatMap((group) => names[group] ?? []).join('/');
}

function numbered(names: Names): Names {
  return Object.fromEntries(Object.entries(names).map(([name, value]) => [name, value?.replace(/^0+(?=\d)/, '')]));
}

function lowered(groups: Readonly<Record<string, string | undefined>>): Names {
  return Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, value?.toLowerCase()]));
}

function folderOf({ full }: TreeFile): string {
  return full.slice(0, full.lastIndexOf('/') + 1);
}

function nameOf({ full }: TreeFile): string {
  return full.slice(full.lastIndexOf('/') + 1).toLowerCase();
}
