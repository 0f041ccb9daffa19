import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoredObject, StudyInstance } from '../../dicomweb/index.js';
import { parseDicomElements } from '../../imaging/index.js';
import { DataError, type Logger } from '../../util/index.js';
import type { StudyRequest } from './fetch-study.js';
import { type StudyJournal, studyFolders } from './study-journal.js';

/** What becomes of an instance: a segmentation and a report, in files of these names. */
const OBJECTS = [
  { label: 'SEG', suffix: '.seg.dcm' },
  { label: 'SR', suffix: '.sr.dcm' },
] as const;

interface StoreSummary {
  /** Objects stored by this call. */
  readonly stored: number;
  /** Objects that the archive had before. */
  readonly before: number;
  /** Instances without objects: nothing was found in them, or nothing could be written. */
  readonly without: number;
}

/**
 * Stores the segmentation and the report of each instance in one request. Objects that the archive has are not sent again: it is
 * asked for those that the journal does not have. Call it again after a stop at any moment.
 *
 * @throws DicomWebError naming what the archive has and what it has not; DataError for a file that belongs to another study.
 */
export async function storeResults(
  request: StudyRequest,
  instances: readonly StudyInstance[],
  journal: StudyJournal,
  logger: Logger,
): Promise<StoreSummary> {
  const { client, study, out, signal, onProgress } = request;
  let [stored, before, without] = [0, 0, 0];
  for (const [i, { uid }] of instances.entries()) {
    if (signal?.aborted) break;
    const objects = await objectsOf(join(out, studyFolders.results, uid), study);
    if (objects.length === 0) without += 1;
    const open = objects.filter((object) => !journal.has(object.uid));
    const lacking = await client.lacking(study, open);
    const there = open.filter((object) => !lacking.includes(object));
    if (there.length > 0 && lacking.length > 0)
      logger.warn(`instance ${uid}: the archive has ${names(there)} from before, and gets ${names(lacking)} now`);
    if (lacking.length > 0) await client.store(study, lacking);
    if (open.length > 0) await journal.confirm(open, uid);
    stored += lacking.length;
    before += objects.length - lacking.length;
    onProgress?.(i + 1, instances.length);
  }
  return { stored, before, without };
}

/** The objects of an instance that are on the disk. */
async function objectsOf(stem: string, study: string): Promise<StoredObject[]> {
  const objects: StoredObject[] = [];
  for (const { label, suffix } of OBJECTS) {
    const file = `${stem}${suffix}`;
    const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (bytes === undefined) continue;
    const { set } = await parseDicomElements(bytes, file);
    const [uid = '', own = ''] = [set.string('x00080018')?.trim(), set.string('x0020000d')?.trim()];
    if (own !== study)
      throw new DataError({
        code: 'E_RESULTS_DAMAGED',
        where: file,
        what: `it belongs to the study ${own}, not to ${study}`,
        fix: 'Remove it, and run it again',
      });
    objects.push({ uid, label, bytes });
  }
  return objects;
}

function names(objects: readonly StoredObject[]): string {
  return objects.map(({ label, uid }) => `${label} ${uid}`).join(' and ');
}
