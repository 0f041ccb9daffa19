import { readPolygon } from '../readers/json-polygon.js';
import { pairFiles } from '../readers/pairs.js';
import type { Found, Importer, MaskSource, Problem, ScanOptions, SourceRecord } from '../types.js';
import { imageFile, path } from './common.js';

/** AUL: outlines as JSON. Numbering restarts in each class. */
export const aul: Importer = {
  name: 'aul',
  title: 'AUL',
  aliases: ['annotated-ultrasound-liver', 'liverus'],
  organ: 'liver',
  published: { count: 735, of: 'images' },
  source: 'https://zenodo.org/records/7272660',
  layout: '{Benign,Malignant,Normal}/image/N.jpg and {Benign,Malignant}/segmentation/mass/N.json',
  paper: { key: 'aul', lists: ['malignant', 'benign'] },
  scan,
};

async function scan({ tree, protocol }: ScanOptions): Promise<Found> {
  const { pairs, problems: unpaired } = pairFiles(tree.files, {
    image: imageFile('(?<class>benign|malignant|normal)/images?/(?<id>\\d+)'),
    mask: path('(?<class>benign|malignant|normal)/segmentation/mass/(?<id>\\d+)\\.json$'),
    negative: (names) => names['class'] === 'normal',
  });
  const problems: Problem[] = [...unpaired];
  const records: SourceRecord[] = [];
  for (const { image, masks, names } of pairs) {
    const label = names['class'] as string;
    const sources: MaskSource[] = [];
    let broken = false;
    for (const mask of masks) {
      const polygon = await readPolygon(mask.path);
      if (typeof polygon === 'string') {
        problems.push({ file: mask.relative, what: polygon });
        broken = true;
      } else sources.push({ kind: 'polygons', class: label, polygons: polygon });
    }
    const name = `${label} ${names['id']}`;
    if (!broken) records.push({ name, image: { file: image.path }, masks: sources, group: name, list: label });
  }
  return { records: protocol === 'paper' ? records.filter(({ list }) => list !== 'normal') : records, problems };
}
