import { z } from 'zod';
import { canonicalPhrase } from '../prompts/index.js';
import { DataError, unsafeName } from '../util/index.js';

const id = z.union([z.int(), z.string()]);
const rle = z.object({ size: z.tuple([z.int(), z.int()]), counts: z.union([z.string(), z.array(z.int().nonnegative())]) });
const polygon = z.array(z.number()).refine((values) => values.length >= 6 && values.length % 2 === 0, {
  error: 'A polygon is a list x0, y0, x1, y1, … of three points or more',
});
const phrase = z
  .string()
  .refine((text) => canonicalPhrase(text) !== '', { error: 'It is empty or holds no word: write what the object is called' });

const imageSchema = z.object({
  id,
  file_name: z.string().min(1),
  width: z.int().positive().optional(),
  height: z.int().positive().optional(),
  /** Synonyms of `group`. */
  patient: id.optional(),
  volume: id.optional(),
  /** The prompt's phrases. Default: those of the image's objects, or all categories if it has none. */
  phrases: z.array(phrase).optional(),
  /** Patient, volume or source image; never in two splits. */
  group: id.optional(),
  /** Pixel spacing in millimetres, horizontal and vertical. */
  pixel_spacing_mm: z.tuple([z.number().positive(), z.number().positive()]).optional(),
  /** URL of the published image; disambiguates files of the same name. */
  coco_url: z.string().optional().catch(undefined),
});

const annotationSchema = z.object({
  id,
  image_id: id,
  category_id: id.optional(),
  /** The object's phrase, overriding its category. */
  caption: phrase.optional(),
  bbox: z.tuple([z.number(), z.number(), z.number(), z.number()]).optional(),
  segmentation: z.union([z.array(polygon), rle]).optional(),
  /** This object's mask file, under `masks/`. */
  mask_file: z.string().min(1).optional(),
});

const categorySchema = z.object({ id, name: phrase });

type CocoCategory = z.infer<typeof categorySchema>;

/** Lists are validated item by item, so that a problem is reported with the item's own id. Additional COCO fields are allowed. */
const lists = z.object({
  images: z.array(z.unknown()),
  annotations: z.array(z.unknown()),
  categories: z.array(z.unknown()).default([]),
});

export type CocoImage = z.infer<typeof imageSchema>;
export type CocoAnnotation = z.infer<typeof annotationSchema>;

/** An invalid item of a file. */
interface CocoProblem {
  readonly kind: 'image' | 'annotation' | 'category';
  /** The item's id or, without one, its position in the list. */
  readonly name: string;
  /** For an annotation: the id of its image, if readable. */
  readonly image?: string | undefined;
  readonly what: string;
}

/** The readable content of an annotation file, and its problems. */
export interface CocoLists {
  readonly images: readonly CocoImage[];
  readonly annotations: readonly CocoAnnotation[];
  readonly categories: readonly CocoCategory[];
  readonly problems: readonly CocoProblem[];
  /** Kind of annotations. Files of kinds other than objects list images that may contain objects all the same. */
  readonly holds: 'objects' | 'captions' | 'panoptic' | 'key points' | 'nothing';
}

/** An annotation file whose images and categories have unique ids and whose annotations all belong to an image. */
export interface CocoFile extends Omit<CocoLists, 'problems' | 'holds'> {
  /** Annotation problems by image id: such an image must not be used without the annotations concerned. */
  readonly unusable: ReadonlyMap<string, readonly string[]>;
}

/** Problems listed in a message; the rest are counted. */
const LISTED = 5;

/** Problems reported per item: every number of a polygon may be wrong. */
const PER_ITEM = 3;

/**
 * Parses an annotation file item by item.
 *
 * @throws DataError naming the file when it is not JSON or has no lists of images and annotations.
 */
export function readCocoLists(text: string, file: string): CocoLists {
  let json: unknown;
  try {
    // Some editors write a byte order mark.
    json = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (cause) {
    throw new DataError({
      code: 'E_ANNOTATIONS_INVALID',
      where: file,
      what: 'it is not valid JSON',
      fix: 'Write or export it again',
      cause,
    });
  }
  const outer = lists.safeParse(json);
  if (!outer.success) throw notCoco(file, outer.error.issues.map(describe));
  const problems: CocoProblem[] = [];
  const images = parseItems('image', imageSchema, outer.data.images.map(named), problems);
  const annotations = parseItems('annotation', annotationSchema, outer.data.annotations, problems);
  const categories = parseItems('category', categorySchema, outer.data.categories, problems);
  return { images, annotations, categories, problems, holds: kindOf(outer.data.annotations) };
}

function kindOf(annotations: readonly unknown[]): CocoLists['holds'] {
  const all = (...fields: readonly string[]) =>
    annotations.every((item) => typeof item === 'object' && item !== null && fields.some((field) => Object.hasOwn(item, field)));
  const none = (...fields: readonly string[]) =>
    !annotations.some((item) => typeof item === 'object' && item !== null && fields.some((field) => Object.hasOwn(item, field)));
  if (annotations.length === 0) return 'nothing';
  if (all('segments_info')) return 'panoptic';
  if (all('caption') && none('category_id', 'bbox', 'segmentation', 'mask_file')) return 'captions';
  return all('keypoints', 'num_keypoints') ? 'key points' : 'objects';
}

/**
 * Parses an annotation file in the project's layout. Annotation problems are attributed to their image.
 *
 * @throws DataError naming the file and the id of each invalid image, invalid category and annotation without an image.
 */
export function parseCocoFile(text: string, file: string): CocoFile {
  const { images, annotations, categories, problems: found } = readCocoLists(text, file);
  const problems = [
    ...found,
    ...twice('image', images),
    ...twice('annotation', annotations),
    ...twice('category', categories),
    ...unsafeNames(images, annotations),
  ];
  const known = new Set(images.map((image) => String(image.id)));
  const unusable = new Map<string, string[]>();
  const general: string[] = [];
  for (const { kind, name, image, what } of problems) {
    const own = kind === 'annotation' && image !== undefined && known.has(image) ? (unusable.get(image) ?? []) : general;
    own.push(`${kind} ${name}: ${what}`);
    if (own !== general) unusable.set(image as string, own);
  }
  // Annotations of an invalid image would be reported as orphans; naming the image suffices.
  if (general.length === 0)
    for (const { id, image_id } of annotations)
      if (!known.has(String(image_id))) general.push(`annotation ${id}: there is no image ${image_id}`);
  if (general.length > 0) throw notCoco(file, general);
  return { images, annotations, categories, unusable };
}

/** Why the text of an annotation file is not available. */
export function unreadableText(cause: unknown): string {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'ERR_STRING_TOO_LONG' || code === 'ERR_FS_FILE_TOO_LARGE')
    return 'it is larger than the half gigabyte that can be read at once: divide it';
  return `it cannot be read (${code})`;
}

function twice(kind: CocoProblem['kind'], items: readonly (CocoImage | CocoAnnotation | CocoCategory)[]): CocoProblem[] {
  const seen = new Set<string>();
  return items.flatMap((item): CocoProblem[] => {
    const name = String(item.id);
    const again = seen.has(name);
    seen.add(name);
    const image = 'image_id' in item ? String(item.image_id) : undefined;
    return again ? [{ kind, name, image, what: 'its id is used twice' }] : [];
  });
}

/** File names that point outside images/ and masks/. */
function unsafeNames(images: readonly CocoImage[], annotations: readonly CocoAnnotation[]): CocoProblem[] {
  const ofImages = images.flatMap(({ id, file_name }): CocoProblem[] => {
    const what = unsafeName(file_name);
    return what === undefined ? [] : [{ kind: 'image', name: String(id), what: `file_name: ${what}` }];
  });
  const ofMasks = annotations.flatMap(({ id, image_id, mask_file }): CocoProblem[] => {
    const what = mask_file === undefined ? undefined : unsafeName(mask_file);
    if (what === undefined) return [];
    return [{ kind: 'annotation', name: String(id), image: String(image_id), what: `mask_file: ${what}` }];
  });
  return [...ofImages, ...ofMasks];
}

function parseItems<T>(kind: CocoProblem['kind'], schema: z.ZodType<T>, items: readonly unknown[], problems: CocoProblem[]): T[] {
  return items.flatMap((item, index) => {
    const parsed = schema.safeParse(present(item));
    if (parsed.success) return [parsed.data];
    const name = fieldOf(item, 'id') ?? `number ${index + 1} of the list`;
    const image = kind === 'annotation' ? fieldOf(item, 'image_id') : undefined;
    for (const issue of parsed.error.issues.slice(0, PER_ITEM)) problems.push({ kind, name, image, what: describe(issue) });
    return [];
  });
}

/** An item without the fields that tools fill with placeholders: null, and boxes without numbers. */
function present(item: unknown): unknown {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return item;
  const fields = Object.entries(item).filter(
    ([key, value]) => value !== null && !(key === 'bbox' && Array.isArray(value) && value.length === 0),
  );
  return Object.fromEntries(fields);
}

/** Derives the file name of an image from its URL if it has no other, as in LVIS. */
function named(item: unknown): unknown {
  const fields = present(item) as { file_name?: unknown; coco_url?: unknown } | undefined;
  if (typeof fields?.coco_url !== 'string' || fields.file_name !== undefined) return item;
  return { ...fields, file_name: fields.coco_url };
}

function fieldOf(item: unknown, field: 'id' | 'image_id'): string | undefined {
  const found = id.safeParse((item as Record<string, unknown> | null)?.[field]);
  return found.success ? String(found.data) : undefined;
}

/** A problem with its field, without the final full stop. */
function describe({ path, message, ...issue }: z.core.$ZodIssue): string {
  // For a union, the message of the closest member: the one that matched the value furthest.
  const inner = issue.code === 'invalid_union' ? issue.errors.flat().sort((a, b) => b.path.length - a.path.length)[0] : undefined;
  if (inner !== undefined) return describe({ ...inner, path: [...path, ...inner.path] });
  return path.length === 0 ? message : `${path.join('.')}: ${message}`;
}

function notCoco(file: string, problems: readonly string[]): DataError {
  const more = problems.length > LISTED ? `; and ${problems.length - LISTED} more` : '';
  return new DataError({
    code: 'E_ANNOTATIONS_INVALID',
    where: file,
    what: `${problems.slice(0, LISTED).join('; ')}${more}`,
    fix: 'Write the file as COCO object detection annotations',
  });
}
