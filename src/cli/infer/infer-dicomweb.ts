import { join } from 'node:path';
import { archiveSettings, DicomWebClient, isUid, parseArchiveAddress } from '../../dicomweb/index.js';
import { UsageError, withFolderLock } from '../../util/index.js';
import { fetchStudy, StudyJournal, storeResults } from '../../workflows/index.js';
import { consoleLogger } from '../console-logger.js';
import { startProgress } from '../progress.js';
import { stopOnSignals } from '../stop-on-signals.js';
import type { DicomWebOptions } from './dicomweb-options.js';
import type { InferOptions } from './infer-options.js';

/** @throws UsageError for options of archives without an archive. */
export function refuseWithoutArchive({ study, series }: DicomWebOptions): void {
  const [name] = Object.entries({ study, series }).find(([, value]) => value !== undefined) ?? [];
  if (name === undefined) return;
  throw new UsageError({
    code: 'E_OPTION_MISSING',
    where: '--dicomweb',
    what: `--${name} is of an archive, and none is named`,
    fix: 'Give --dicomweb https://archive.example.org/dicom-web',
  });
}

/**
 * Runs `infer --dicomweb`: fetches, segments by the ordinary way, and stores.
 *
 * @param infer - segments the fetched files, and returns whether it was interrupted.
 */
export async function inferStudy(
  options: InferOptions,
  address: string,
  infer: (options: InferOptions) => Promise<{ readonly interrupted: boolean }>,
): Promise<void> {
  const { study, series } = requestOf(options);
  const { out, onBad } = options;
  const settings = archiveSettings(parseArchiveAddress(address));
  const client = new DicomWebClient({ settings, logger: consoleLogger });
  if (client.unencrypted) consoleLogger.warn(`images from ${client.address} are transmitted without encryption: use https://`);
  const about = { where: out, doing: 'is segmenting a study into it', instead: 'choose another --out' };
  await withFolderLock(join(out, '.study-lock'), { ...about, onWait: (message) => consoleLogger.info(message) }, async () => {
    const journal = await StudyJournal.open(out, { archive: client.address, study });
    await journal.write();
    const request = { client, study, series, out };
    const fetched = await stoppable('finishing the current instance', 'instances', (stop) =>
      fetchStudy({ ...request, ...stop }, onBad),
    );
    if (fetched === undefined) return;
    const { instances, before, others, bad, byFrames } = fetched;
    const frames = instances.reduce((sum, instance) => sum + instance.frames, 0);
    consoleLogger.info(
      `${instances.length} ultrasound images and clips, ${frames} frames${before === 0 ? '' : `, ${before} of them here from before`}; ${others} other objects of the study are left out`,
    );
    for (const uid of byFrames) consoleLogger.info(`instance ${uid}: too large as a whole, so fetched frame by frame`);
    for (const message of bad) consoleLogger.warn(message);
    const files = filesToSegment(instances, options.track);
    // An earlier problem is not forgotten by what follows.
    const { interrupted } = await infer({ ...options, image: files, dicom: true, keepIdentity: true });
    if (bad.length > 0) process.exitCode ||= 1;
    if (interrupted) return;
    const summary = await stoppable('finishing the current instance', 'instances', (stop) =>
      storeResults({ ...request, ...stop }, instances, journal, consoleLogger),
    );
    if (summary === undefined) return;
    const { stored, before: there, without } = summary;
    consoleLogger.info(
      `${stored} objects stored in ${client.address}${there === 0 ? '' : `, ${there} were there`}${without === 0 ? '' : `; nothing to store for ${without} instances`}`,
    );
  });
}

/** Runs a step that a signal stops. @returns undefined if it did. */
async function stoppable<T>(
  meanwhile: string,
  unit: string,
  step: (stop: { readonly signal: AbortSignal; readonly onProgress: (done: number, total: number) => void }) => Promise<T>,
): Promise<T | undefined> {
  const progress = startProgress(unit);
  const stop = stopOnSignals(meanwhile);
  const result = await step({ signal: stop.signal, onProgress: (done, total) => progress.update(done, total, '') }).finally(
    () => {
      progress.stop();
      stop.dispose();
    },
  );
  if (!stop.signal.aborted) return result;
  consoleLogger.warn('interrupted; the same command resumes');
  process.exitCode = stop.exitCode();
  return undefined;
}

function filesToSegment(
  instances: readonly { readonly file: string; readonly frames: number }[],
  track: boolean,
): readonly string[] {
  if (!track) return instances.map(({ file }) => file);
  const clips = instances.filter(({ frames }) => frames > 1);
  const rest = instances.length - clips.length;
  if (clips.length === 0)
    throw new UsageError({
      code: 'E_NO_IMAGES',
      where: '--track',
      what: 'the study has no clip',
      fix: 'Leave it out',
    });
  if (rest > 0)
    consoleLogger.warn(`${rest} images of a single frame are left out: segment them without --track, into another folder`);
  return clips.map(({ file }) => file);
}

function requestOf(options: InferOptions): { readonly study: string; readonly series: string | undefined } {
  const { study, series } = options;
  const others = { image: options.image, list: options.list, shard: options.shard, key: options.key };
  const [other] = Object.entries(others).find(([, value]) => value !== undefined) ?? [];
  if (other !== undefined)
    throw new UsageError({
      code: 'E_OPTION_CONFLICT',
      where: `--${other}`,
      what: 'images of an archive do not take it',
      fix: 'Leave it out, or --dicomweb',
    });
  if (study === undefined)
    throw new UsageError({ code: 'E_OPTION_MISSING', where: '--study', what: 'no study is named', fix: 'Give its UID' });
  for (const [name, uid] of Object.entries({ study, series }))
    if (uid !== undefined && !isUid(uid))
      throw new UsageError({
        code: 'E_DICOMWEB_ADDRESS',
        where: `--${name}`,
        what: `expected a UID, got ${JSON.stringify(uid)}`,
        fix: 'Write it as 1.2.840.113619.2.1',
      });
  return { study, series };
}
