import { z } from 'zod';
import { DataError } from '../../../util/index.js';
import type { Problem } from '../types.js';
import { column, readTable } from './table.js';

/** An outline from the VGG Image Annotator. */
interface ViaShape {
  /** Index within its image, from 0. */
  readonly region: number;
  /** Table row, from 0. */
  readonly row: number;
  /** In lower case. */
  readonly anatomy: string;
  /** x0, y0, x1, y1, … in pixels. */
  readonly polygon: readonly number[];
}

/** An image with its outlines, in table order. */
export interface ViaImage {
  readonly file: string;
  readonly shapes: readonly ViaShape[];
}

const shapeSchema = z.object({
  all_points_x: z.array(z.number()),
  all_points_y: z.array(z.number()),
});

const attributesSchema = z.object({ Anatomy: z.union([z.string(), z.record(z.string(), z.unknown())]) });

/** Required columns of an export. */
const COLUMNS = ['filename', 'region_id', 'region_shape_attributes', 'region_attributes'] as const;

/**
 * Reads a CSV export of the VGG Image Annotator whose regions have an `Anatomy` attribute. Rows without attributes are images
 * without an outline.
 *
 * @param name - the file's name in problems.
 */
export async function readVia(
  file: string,
  name: string,
): Promise<{ readonly images: readonly ViaImage[]; readonly problems: readonly Problem[] }> {
  const rows = await readTable(file);
  if (rows.length === 0)
    throw new DataError({ code: 'E_TABLE_INVALID', where: file, what: 'the table is empty', fix: 'Copy it again' });
  const [fileOf, regionOf, shapeOf, attributesOf] = COLUMNS.map((own) => column(rows, [own], file)) as [
    ReturnType<typeof column>,
    ReturnType<typeof column>,
    ReturnType<typeof column>,
    ReturnType<typeof column>,
  ];
  const images = new Map<string, ViaShape[]>();
  const problems: Problem[] = [];
  for (const [i, row] of rows.entries()) {
    const image = fileOf(row);
    const shapes = images.get(image) ?? [];
    images.set(image, shapes);
    if (/^(\{\s*\})?$/.test(attributesOf(row)) || /^(\{\s*\})?$/.test(shapeOf(row))) continue;
    const shape = shapeSchema.safeParse(json(shapeOf(row)));
    const attributes = attributesSchema.safeParse(json(attributesOf(row)));
    const polygon = shape.data?.all_points_x.flatMap((x, k) => [x, shape.data.all_points_y[k] ?? Number.NaN]) ?? [];
    if (!attributes.success || polygon.length < 6 || polygon.some(Number.isNaN)) {
      problems.push({ file: name, what: `row ${i + 2}, ${image}: its region is no polygon with an Anatomy` });
      continue;
    }
    const { Anatomy: anatomy } = attributes.data;
    const text = typeof anatomy === 'string' ? anatomy : (Object.keys(anatomy)[0] ?? '');
    shapes.push({ region: Number(regionOf(row)), row: i, anatomy: text.trim().toLowerCase(), polygon });
  }
  return { images: [...images].map(([own, shapes]) => ({ file: own, shapes })), problems };
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
