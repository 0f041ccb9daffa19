import { decodeImage } from '../../../imaging/index.js';
import { readMarks } from '../readers/ddti-marks.js';
import type { Found, Importer, MaskSource, Problem, ScanOptions, SourceRecord } from '../types.js';
import { imageFile, path } from './common.js';

/** Pixels by which an outline may exceed its image. */
const BEYOND = 4;

/** DDTI as published: outlines as text in an XML file per case. The paper's "TNSCUI" consists of the same images: unseen. */
export const ddtiXml: Importer = {
  name: 'ddti-xml',
  title: 'DDTI (outlines in XML)',
  aliases: ['ddti-whole', 'thyroid-digital-image-database'],
  organ: 'thyroid',
  published: { count: 480, of: 'images' },
  source: 'http://cimalab.unal.edu.co/applications/thyroid/',
  layout: 'N_K.jpg, image K of case N, and N.xml with its outlines',
  unseen: true,
  scan,
};

async function scan({ tree }: ScanOptions): Promise<Found> {
  const problems: Problem[] = [];
  const records: SourceRecord[] = [];
  const image = imageFile('(?<case>\\d+)_(?<number>\\d+)');
  const pictures = new Map(
    tree.files.flatMap((file) => {
      const { case: own, number } = image.exec(file.full)?.groups ?? {};
      return own === undefined || number === undefined ? [] : [[nameOf(own, number), file] as const];
    }),
  );
  const xml = path('(?<case>\\d+)\\.xml$');
  for (const file of tree.files) {
    const own = xml.exec(file.full)?.groups?.['case'];
    if (own === undefined) continue;
    const marks = await readMarks(file.path);
    if (typeof marks === 'string') {
      problems.push({ file: file.relative, what: marks });
      continue;
    }
    for (const { image: number, polygons } of marks) {
      const name = nameOf(own, number);
      const found = pictures.get(name);
      if (found === undefined) {
        problems.push({ file: file.relative, what: `it outlines image ${name}, which is not there` });
        continue;
      }
      pictures.delete(name);
      const what = typeof polygons === 'string' ? polygons : await outside(found.path, polygons);
      if (what !== undefined) problems.push({ file: found.relative, what: `${file.relative}: ${what}` });
      else {
        const masks = (polygons as readonly number[][]).map(
          (polygon): MaskSource => ({ kind: 'polygons', class: 'nodule', polygons: [polygon], drawn: true }),
        );
        records.push({ name, image: { file: found.path }, masks, group: `case ${Number(own)}` });
      }
    }
  }
  // Images beside other datasets' XML files are not reported.
  if (records.length > 0)
    for (const rest of pictures.values()) problems.push({ file: rest.relative, what: 'no XML file outlines anything in it' });
  return { records, problems };
}

/** Outlines are in pixels of the published image and would be misplaced in a resized one. */
async function outside(file: string, polygons: readonly (readonly number[])[]): Promise<string | undefined> {
  const size = await decodeImage(file).catch(() => undefined);
  if (size === undefined) return undefined;
  for (const polygon of polygons)
    for (let k = 0; k < polygon.length; k += 2) {
      const [x, y] = [polygon[k] as number, polygon[k + 1] as number];
      if (x < -BEYOND || y < -BEYOND || x > size.width + BEYOND || y > size.height + BEYOND)
        return `a point of its outline (${x}, ${y}) lies outside the ${size.width}x${size.height} image`;
    }
  return undefined;
}

function nameOf(own: string, number: string | number): string {
  return `${Number(own)}_${Number(number)}`;
}
