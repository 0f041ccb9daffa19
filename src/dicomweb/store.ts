import type { ArchiveRequests } from './archive-requests.js';
import { DicomWebError } from './dicomweb-error.js';
import { joinFiles } from './multipart.js';
import { isListed } from './query.js';
import { mayPass, requireStatus } from './refusals.js';
import { parseStoreReport } from './store-report.js';

/** A DICOM file to store. */
export interface StoredObject {
  /** SOP Instance UID. */
  readonly uid: string;
  /** What it is called in messages: `SEG`. */
  readonly label: string;
  readonly bytes: Uint8Array;
}

/**
 * Stores objects of one study in one request. If the answer is lost or speaks of failures, the archive is asked which it has, and
 * only those that are missing are sent again: an archive never gets a second copy.
 *
 * @throws DicomWebError naming which objects the archive has, and its reasons for the others.
 */
export async function storeObjects(requests: ArchiveRequests, study: string, objects: readonly StoredObject[]): Promise<void> {
  let missing = objects;
  let uncertain = false;
  await requests.retried(async () => {
    if (uncertain) missing = await lackingObjects(requests, study, missing);
    if (missing.length === 0) return;
    uncertain = true;
    const failed = await send(requests, study, missing);
    const left = missing.filter(({ uid }) => failed.has(uid));
    if (left.length === 0) return;
    // Some may be there from before.
    const absent = await lackingObjects(requests, study, left);
    if (absent.length > 0) throw refused(study, objects, absent, failed);
  });
}

/** The objects that the archive does not list. */
export async function lackingObjects(
  requests: ArchiveRequests,
  study: string,
  objects: readonly StoredObject[],
): Promise<StoredObject[]> {
  const lacking: StoredObject[] = [];
  for (const object of objects) if (!(await isThere(requests, study, object))) lacking.push(object);
  return lacking;
}

/** @returns the reason for each object that was not stored. */
async function send(
  requests: ArchiveRequests,
  study: string,
  objects: readonly StoredObject[],
): Promise<ReadonlyMap<string, string>> {
  const where = `study ${study}`;
  const body = joinFiles(objects.map(({ bytes }) => bytes));
  const answer = await requests.send(`/studies/${study}`, body);
  try {
    // 409: none was stored; the report says why.
    requireStatus(where, answer, [200, 202, 409]);
    const report = parseStoreReport(await answer.text(), where);
    if (report === undefined) {
      if (answer.status === 200) return new Map();
      return new Map(objects.map(({ uid }) => [uid, `no reason is given (${answer.status})`]));
    }
    const named = objects.filter(({ uid }) => !report.stored.has(uid));
    return new Map(named.map(({ uid }) => [uid, report.failed.get(uid) ?? 'the answer does not name it']));
  } catch (error) {
    throw mayPass(error, requests.settings);
  } finally {
    answer.close();
  }
}

function isThere(requests: ArchiveRequests, study: string, { uid }: StoredObject): Promise<boolean> {
  return isListed((path) => requests.text(path, `object ${uid}`), study, uid);
}

function refused(
  study: string,
  objects: readonly StoredObject[],
  absent: readonly StoredObject[],
  failed: ReadonlyMap<string, string>,
): DicomWebError {
  const reasons = absent.map(({ label, uid }) => `${label} ${uid}: ${failed.get(uid)}`).join('; ');
  const there = objects.filter((object) => !absent.includes(object)).map(({ label, uid }) => `${label} ${uid}`);
  const state = there.length === 0 ? 'nothing of it was stored' : `the archive has ${there.join(' and ')} without it`;
  return new DicomWebError({
    code: 'E_DICOMWEB_REFUSED',
    where: `study ${study}`,
    what: `the archive refused an object (${reasons}); ${state}`,
    fix: 'Look into the log of the archive; then run it again: only the missing object is sent',
  });
}
