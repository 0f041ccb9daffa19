import { type JsonDataSet, parseDataSets, textOf } from './json-model.js';
import { unexpected } from './refusals.js';
import { isUid, type StudyInstance } from './study-instance.js';

/** Instances in a page of a listing. */
const PAGE = 500;

/** SOP class, modality, number in the series, frames; study and series, where they are not asked for. */
const FIELDS = ['00080016', '00080060', '00200013', '00280008', '0020000D', '0020000E'];

/** Requests a page of a listing by its path and returns it as text. */
export type ReadText = (path: string) => Promise<string>;

/** What to list: a study, one of its series, or a series by its UID alone. */
interface Listed {
  readonly study?: string | undefined;
  readonly series?: string | undefined;
}

/**
 * Lists instances by QIDO-RS. Pages are requested until one has nothing new: archives may send fewer than asked for, and some
 * ignore the offset.
 *
 * @throws DataError when the answer is not a listing.
 */
export async function listInstances(read: ReadText, listed: Listed): Promise<StudyInstance[]> {
  const { study, series } = listed;
  const base = `${study === undefined ? '' : `/studies/${study}`}/instances`;
  const filter = series === undefined ? '' : `&SeriesInstanceUID=${series}`;
  const fields = FIELDS.map((tag) => `&includefield=${tag}`).join('');
  const found = new Map<string, StudyInstance>();
  for (let offset = 0; ; ) {
    const sets = parseDataSets(await read(`${base}?limit=${PAGE}&offset=${offset}${filter}${fields}`), base);
    const before = found.size;
    for (const set of sets) {
      const instance = instanceOf(set, listed, base);
      found.set(instance.uid, instance);
    }
    if (found.size === before) break;
    offset += sets.length;
  }
  // An archive may ignore the filter.
  return [...found.values()].filter((instance) => series === undefined || instance.series === series);
}

/** Whether an archive lists an object of a study. */
export async function isListed(read: ReadText, study: string, uid: string): Promise<boolean> {
  const path = `/studies/${study}/instances?SOPInstanceUID=${uid}&limit=2`;
  const sets = parseDataSets(await read(path), path);
  // An archive may ignore the filter.
  return sets.some((set) => textOf(set, '00080018') === uid);
}

function instanceOf(set: JsonDataSet, asked: Listed, where: string): StudyInstance {
  const uid = textOf(set, '00080018') ?? '';
  const study = asked.study ?? textOf(set, '0020000D') ?? '';
  const series = textOf(set, '0020000E') ?? asked.series ?? '';
  if (![uid, study, series].every(isUid)) throw unexpected(where, 'it lists an instance without valid UIDs');
  return {
    study,
    series,
    uid,
    sopClass: textOf(set, '00080016'),
    modality: textOf(set, '00080060'),
    number: Number(textOf(set, '00200013') ?? 0),
    frames: Math.max(1, Math.trunc(Number(textOf(set, '00280008') ?? 1))) || 1,
  };
}
