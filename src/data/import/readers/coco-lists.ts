import { readFile } from 'node:fs/promises';
import { DataError } from '../../../util/index.js';
import { type CocoAnnotation, type CocoImage, type CocoLists, readCocoLists, unreadableText } from '../../coco-schema.js';
import type { FileTree, TreeFile } from '../file-tree.js';
import type { Problem } from '../types.js';

/** An image of a list with its annotations. */
export interface ListedImage {
  readonly image: CocoImage;
  readonly annotations: readonly CocoAnnotation[];
  /** Why it cannot be used although its file exists. */
  readonly unusable: readonly string[];
}

/** One annotation file. */
export interface AnnotationList {
  readonly file: TreeFile;
  readonly images: readonly ListedImage[];
  /** Category names by id. */
  readonly categories: ReadonlyMap<string, string>;
}

/** The annotation files of a folder. */
export interface FoundLists {
  readonly lists: readonly AnnotationList[];
  readonly problems: readonly Problem[];
  readonly notes: readonly string[];
}

/**
 * Reads all COCO files of a folder. Files without objects (captions, panoptic, key points beside instances) do not identify
 * negatives: they are skipped with a note.
 */
export async function readAnnotationLists({ files }: FileTree): Promise<FoundLists> {
  const read: { readonly file: TreeFile; readonly content: CocoLists }[] = [];
  const problems: Problem[] = [];
  const notes: string[] = [];
  for (const file of files.filter(({ relative }) => /\.json$/i.test(relative))) {
    try {
      const text = await readFile(file.path, 'utf8');
      // Other JSON files often lie beside annotations.
      if (!/"images"\s*:\s*\[/.test(text) || !/"annotations"\s*:\s*\[/.test(text)) continue;
      read.push({ file, content: readCocoLists(text, file.relative) });
    } catch (cause) {
      problems.push({ file: file.relative, what: cause instanceof DataError ? cause.what : unreadableText(cause) });
    }
  }
  const instances = read.some(({ content: { holds } }) => holds === 'objects');
  const lists = read.flatMap(({ file, content }) => {
    if (content.holds === 'captions' || content.holds === 'panoptic' || (content.holds === 'key points' && instances)) {
      notes.push(`${file.relative} holds ${content.holds}, not objects: it is passed over`);
      return [];
    }
    // If every image lists its phrases, those not annotated are deliberately absent.
    if (content.holds === 'nothing' && !content.images.every(({ phrases }) => phrases !== undefined)) {
      const what = `it lists ${content.images.length} images and annotates none: they are not taken for images without objects`;
      problems.push({ file: file.relative, what });
      return [];
    }
    return [listOf(file, content, problems, notes)];
  });
  return { lists, problems, notes };
}

function listOf(file: TreeFile, content: CocoLists, problems: Problem[], notes: string[]): AnnotationList {
  const tell = (what: string) => problems.push({ file: file.relative, what });
  const images = new Map<string, CocoImage>();
  const unusable = new Map<string, string[]>();
  for (const image of content.images) {
    const id = String(image.id);
    const other = images.get(id);
    if (other === undefined) images.set(id, image);
    else if (other.file_name !== image.file_name)
      append(unusable, id, `image ${id}: its id is that of ${shown(other.file_name)} and of ${shown(image.file_name)}`);
  }
  const known = new Map<string, CocoAnnotation[]>([...images.keys()].map((id) => [id, []]));
  const seen = new Map<string, string>();
  let [same, again] = [0, 0];
  for (const annotation of content.annotations) {
    const { id, image_id: image } = annotation;
    const [text, before] = [JSON.stringify(annotation), seen.get(String(id))];
    if (before === undefined) seen.set(String(id), text);
    else if (before === text) same++;
    else again++;
    if (before === text) continue;
    const own = known.get(String(image));
    if (own === undefined) tell(`annotation ${id}: there is no image ${image}`);
    else own.push(annotation);
  }
  if (same > 0) notes.push(`${file.relative} has ${same} annotations twice: each is taken once`);
  if (again > 0)
    notes.push(`${file.relative} gives ${again} annotations an id that another one has: each is an object of its own`);
  for (const { kind, name, image, what } of content.problems) {
    const text = `${kind} ${name}: ${what}`;
    if (image !== undefined && known.has(image)) append(unusable, image, text);
    else tell(text);
  }
  const listed = [...images].map(([id, image]) => ({
    image,
    annotations: known.get(id) ?? [],
    unusable: unusable.get(id) ?? [],
  }));
  return { file, images: listed, categories: categoriesOf(content, tell) };
}

/** Trimmed names; an id with two names has none. */
function categoriesOf({ categories }: CocoLists, tell: (what: string) => void): Map<string, string> {
  const names = new Map<string, string>();
  const double = new Set<string>();
  for (const category of categories) {
    const [id, name] = [String(category.id), category.name.trim()];
    const other = names.get(id);
    if (other !== undefined && other !== name) double.add(id);
    if (double.has(id)) tell(`category ${id}: its id is that of "${other}" and of "${name}"`);
    names.set(id, name);
  }
  for (const id of double) names.delete(id);
  return names;
}

function append(map: Map<string, string[]>, key: string, text: string): void {
  const own = map.get(key);
  if (own === undefined) map.set(key, [text]);
  else own.push(text);
}

function shown(name: string): string {
  return name.length > 80 ? `${name.slice(0, 80)}…` : name;
}
