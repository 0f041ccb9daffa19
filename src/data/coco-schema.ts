import { z } from 'zod';
import { canonicalPhrase } from '../processing/index.js';
import { DataError } from '../util/index.js';

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
  /** Other names for `group`. */
  patient: id.optional(),
  volume: id.optional(),
  /** What the prompt asks for; default: the names of the image's objects, or all categories if it has none. */
  phrases: z.array(phrase).optional(),
  /** Patient, volume or source image: what must not be in two parts. */
  group: id.optional(),
  /** Millimetres a pixel, across and down. */
  pixel_spacing_mm: z.tuple([z.number().positive(), z.number().positive()]).optional(),
});

const annotationSchema = z.object({
  id,
  image_id: id,
  category_id: id.optional(),
  /** What this object is called, in place of its category. */
  caption: phrase.optional(),
  bbox: z.tuple([z.number(), z.number(), z.number(), z.number()]).optional(),
  segmentation: z.union([z.array(polygon), rle]).optional(),
  /** A mask of this object beside the annotations, under `masks/`. */
  mask_file: z.string().min(1).optional(),
});

const categorySchema = z.object({ id, name: phrase });

/** Lists are checked item by item, so that a problem is told with the item's own id. Further fields of COCO are let through. */
const lists = z.object({
  images: z.array(z.unknown()),
  annotations: z.array(z.unknown()),
  categories: z.array(z.unknown()).default([]),
});

export type CocoImage = z.infer<typeof imageSchema>;
export type CocoAnnotation = z.infer<typeof annotationSchema>;

/** An annotation file whose ids are unique and whose annotations belong to its images. */
export interface CocoFile {
  readonly images: readonly CocoImage[];
  readonly annotations: readonly CocoAnnotation[];
  readonly categories: readonly z.infer<typeof categorySchema>[];
}

/** Problems that a message lists before it only counts. */
const LISTED = 5;

/**
 * Reads the text of an annotation file.
 *
 * @throws DataError that names the file and, of what does not fit, the image, annotation or category by its id.
 */
export function parseCocoFile(text: string, file: string): CocoFile {
  let json: unknown;
  try {
    // Some editors put a byte order mark first.
    json = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (cause) {
    throw new DataError({ where: file, what: 'it is not valid JSON', fix: 'Write or export it again', cause });
  }
  const problems: string[] = [];
  const outer = lists.safeParse(json);
  if (!outer.success) throw notCoco(file, outer.error.issues.map(describe));
  const images = parseItems('image', imageSchema, outer.data.images, problems);
  const annotations = parseItems('annotation', annotationSchema, outer.data.annotations, problems);
  const categories = parseItems('category', categorySchema, outer.data.categories, problems);
  if (problems.length === 0) {
    const known = new Set(images.map((image) => String(image.id)));
    for (const annotation of annotations)
      if (!known.has(String(annotation.image_id)))
        problems.push(`annotation ${annotation.id}: there is no image ${annotation.image_id}`);
  }
  if (problems.length > 0) throw notCoco(file, problems);
  return { images, annotations, categories };
}

function parseItems<T extends { readonly id: number | string }>(
  kind: string,
  schema: z.ZodType<T>,
  items: readonly unknown[],
  problems: string[],
): T[] {
  const seen = new Set<string>();
  return items.flatMap((item, index) => {
    const parsed = schema.safeParse(item);
    if (!parsed.success) {
      const name = idOf(item) ?? `number ${index + 1} of the list`;
      problems.push(...parsed.error.issues.map((issue) => `${kind} ${name}: ${describe(issue)}`));
      return [];
    }
    const key = String(parsed.data.id);
    if (seen.has(key)) problems.push(`${kind} ${key}: its id is used twice`);
    seen.add(key);
    return [parsed.data];
  });
}

function idOf(item: unknown): string | undefined {
  const found = z.object({ id }).safeParse(item);
  return found.success ? String(found.data.id) : undefined;
}

/** A problem with its field, without the full stop of a sentence. */
function describe({ path, message, ...issue }: z.core.$ZodIssue): string {
  // Of a union, what the nearest member says: the one that got furthest into the value.
  const inner = issue.code === 'invalid_union' ? issue.errors.flat().sort((a, b) => b.path.length - a.path.length)[0] : undefined;
  if (inner !== undefined) return describe({ ...inner, path: [...path, ...inner.path] });
  return path.length === 0 ? message : `${path.join('.')}: ${message}`;
}

function notCoco(file: string, problems: readonly string[]): DataError {
  const more = problems.length > LISTED ? `; and ${problems.length - LISTED} more` : '';
  return new DataError({
    where: file,
    what: `${problems.slice(0, LISTED).join('; ')}${more}`,
    fix: 'Write the file as COCO object detection annotations',
  });
}
