import { type JsonDataSet, parseDataSets, textOf } from './json-model.js';
import { unexpected } from './refusals.js';
import { isUid, type StudyInstance } from './study-instance.js';

/** Instances in a page of a listing. */
const PAGE = 500;

/** SOP class, modality, frames. */
const FIELDS = ['00080016', '00080060', '00280008'];

/** Requests a page of a listing by its path and returns it as text. */
export type ReadText = (path: string) => Promise<string>;

/**
 * Lists the instances of a study, or of one of its series, by QIDO-RS. Pages are requested until one has nothing new: archives may
 * send fewer than asked for, and some ignore the offset.
 *
 * @throws DataError when the answer is not a listing.
 */
export async function listInstances(read: ReadText, study: string, series: string | undefined): Promise<StudyInstance[]> {
  const base = series === undefined ? `/studies/${study}` : `/studies/${study}/series/${series}`;
  const fields = FIELDS.map((tag) => `&includefield=${tag}`).join('');
  const found = new Map<string, StudyInstance>();
  for (let offset = 0; ; ) {
    const sets = parseDataSets(await read(`${base}/instances?limit=${PAGE}&offset=${offset}${fields}`), base);
    const before = found.size;
    for (const set of sets) {
      const instance = instanceOf(set, study, series, base);
      found.set(instance.uid, instance);
    }
    if (found.size === before) return [...found.values()];
    offset += sets.length;
  }
}

/** Whether an archive lists an object of a study. */
export async function isListed(read: ReadText, study: string, uid: string): Promise<boolean> {
  const path = `/studies/${study}/instances?SOPInstanceUID=${uid}&limit=2`;
  const sets = parseDataSets(await read(path), path);
  // An archive may ignore the filter.
  return sets.some((set) => textOf(set, '00080018') === uid);
}

function instanceOf(set: JsonDataSet, study: string, asked: string | undefined, where: string): StudyInstance {
  const uid = textOf(set, '00080018') ?? '';
  // Optional in a listing below a series.
  const series = textOf(set, '0020000E') ?? asked ?? '';
  if (!isUid(uid) || !isUid(series)) throw unexpected(where, 'it lists an instance without valid UIDs');
  const frames = Number(textOf(set, '00280008') ?? 1);
  return {
    study,
    series,
    uid,
    sopClass: textOf(set, '00080016'),
    modality: textOf(set, '00080060'),
    frames: Number.isInteger(frames) && frames > 0 ? frames : 1,
  };
}
