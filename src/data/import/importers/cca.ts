import { maskFolders } from '../readers/pairs.js';
import type { Importer, SourceRecord } from '../types.js';
import { imageFile } from './common.js';

/** Maximum number of minutes between two sequences of one examination. */
const EXAMINATION = 20;

/** Common carotid artery: slices of sequences, whose names begin with date and time. */
export const cca: Importer = {
  name: 'cca',
  title: 'Common Carotid Artery',
  aliases: ['carotid', 'common-carotid-artery-ultrasound-images', 'ccaui'],
  organ: 'carotid artery',
  published: { count: 1100, of: 'images' },
  source: 'https://data.mendeley.com/datasets/d4xt63mgjm',
  layout:
    'Common Carotid Artery Ultrasound Images/US images/DATE-TIME…_slice_N.png and Common Carotid Artery Ultrasound Images/Expert mask images/ with the same names',
  warning: () =>
    `the dataset does not name patients: sequences of one day, less than ${EXAMINATION} minutes apart, are taken for one examination`,
  scan: async (options) => {
    const found = await maskFolders({
      image: imageFile('US images/(?<id>[^/]+_slice_\\d+)'),
      mask: imageFile('Expert mask images/(?<id>[^/]+_slice_\\d+)'),
      read: () => ({ as: 'bright', class: 'artery' }),
    })(options);
    return { ...found, records: byExamination(found.records) };
  },
};

function byExamination(records: readonly SourceRecord[]): SourceRecord[] {
  const sequences = new Map(records.map(({ name }) => [sequenceOf(name), timeOf(name)]));
  const examinations = new Map<string, string>();
  let last: { readonly day: string; readonly minutes: number } | undefined;
  let examination = '';
  for (const [sequence, time] of [...sequences].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const together = time !== undefined && last?.day === time.day && time.minutes - last.minutes < EXAMINATION;
    if (!together) examination = sequence;
    examinations.set(sequence, examination);
    last = time;
  }
  return records.map((record) => ({ ...record, group: `examination ${examinations.get(sequenceOf(record.name))}` }));
}

function sequenceOf(name: string): string {
  return name.replace(/_slice_\d+$/i, '');
}

/** Parses 202201121748… as 12 January 2022, 17:48. A name without a time is an examination of its own. */
function timeOf(name: string): { readonly day: string; readonly minutes: number } | undefined {
  const [, day = '', hours, minutes, seconds] = /^(\d{8})(\d\d)(\d\d)(\d\d)/.exec(name) ?? [];
  return hours === undefined ? undefined : { day, minutes: Number(hours) * 60 + Number(minutes) + Number(seconds) / 60 };
}
