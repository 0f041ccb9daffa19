import type { Part } from '../../coco.js';
import { naturalOrder, type TreeFile } from '../file-tree.js';
import type { Found, MaskReading, MaskSource, Problem, ScanOptions, SourceRecord } from '../types.js';

/** Files that hold pictures. */
const PICTURE = /\.(png|jpe?g|bmp|tiff?|webp)$/i;

/** Named parts of a file name, in lower case. */
type Names = Readonly<Record<string, string | undefined>>;

/** A picture with the masks of its name. */
interface Pair {
  readonly image: TreeFile;
  readonly masks: readonly TreeFile[];
  readonly names: Names;
}

/** How the images and masks of a dataset are told apart and brought together. */
export interface PairRule {
  /** Matches the path of an image (`/` between folders, any level above). Its named groups make the key. */
  readonly image: RegExp;
  /** Matches the path of a mask; the groups that it shares with the image must be equal. */
  readonly mask: RegExp;
  /** Groups that make the key, `id` last. Default: `part`, `class` and `id`, those that there are. */
  readonly key?: readonly string[];
  /** Names that are numbers are compared as numbers: 7 is 007. */
  readonly numeric?: boolean;
  /** Files that belong to the dataset and are not used. */
  readonly ignore?: RegExp;
  /** Images that may be without a mask: they are negatives. */
  readonly negative?: (names: Names) => boolean;
}

/** What a rule found. */
export interface Pairs {
  readonly pairs: readonly Pair[];
  readonly problems: readonly Problem[];
}

const KEY = ['part', 'class', 'id'];

/**
 * Pairs images and masks by their names, whatever the case of letters and the level at which the archive was unpacked. What
 * has no partner, comes twice or lies among the images without belonging there is a problem.
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
      if (PICTURE.test(file.relative)) strange.push(file);
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

/** A dataset that is no more than images with masks. */
export interface MaskFolders extends PairRule {
  /** What the mask of a pair shows, or nothing where there is nothing to see in it. */
  readonly read: (names: Names, mask: TreeFile) => MaskReading | undefined;
  /** Unique in the dataset. Default: the parts of the key. */
  readonly name?: (names: Names) => string;
  /** Default: the name, so that each image is a group of its own. */
  readonly group?: (names: Names) => string;
  readonly part?: (names: Names) => Part | undefined;
  readonly list?: (names: Names) => string | undefined;
}

/** The scan of a dataset that is no more than images with masks. */
export function maskFolders(rule: MaskFolders): (options: Pick<ScanOptions, 'tree'>) => Promise<Found> {
  return async ({ tree }) => {
    const { pairs, problems } = pairFiles(tree.files, rule);
    return { records: pairs.map((pair) => recordOf(pair, rule)), problems };
  };
}

function recordOf({ image, masks, names }: Pair, rule: MaskFolders): SourceRecord {
  const name = rule.name?.(names) ?? keyOf(names, rule.key ?? KEY);
  const part = rule.part?.(names);
  const list = rule.list?.(names);
  return {
    name,
    image: { file: image.path },
    masks: masks.flatMap((mask): MaskSource[] => {
      const read = rule.read(names, mask);
      return read === undefined ? [] : [{ kind: 'file', file: mask.path, read }];
    }),
    group: rule.group?.(names) ?? name,
    ...(part === undefined ? {} : { part }),
    ...(list === undefined ? {} : { list }),
  };
}

/** Files nearer to the root come first, so that of two copies the outer one counts. */
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
