import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DicomWebClient, StudyInstance } from '../../dicomweb/index.js';
import { DataError } from '../../util/index.js';
import { fetchByFrames } from './fetch-by-frames.js';
import { studyFolders } from './study-journal.js';

/** Which images of an archive to segment, and where to. */
export interface StudyRequest {
  readonly client: DicomWebClient;
  readonly study: string;
  /** Default: all series. */
  readonly series?: string | undefined;
  /** Output folder. */
  readonly out: string;
  /** Stops after the current instance. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** An instance on the disk. */
interface FetchedInstance extends StudyInstance {
  readonly file: string;
}

interface FetchedStudy {
  readonly instances: readonly FetchedInstance[];
  /** Instances fetched by earlier calls. */
  readonly before: number;
  /** Objects of the study that are no ultrasound images. */
  readonly others: number;
  /** One message per instance that could not be fetched. */
  readonly bad: readonly string[];
  /** Instances that were fetched frame by frame, as they are too large as a whole. */
  readonly byFrames: readonly string[];
}

/**
 * Fetches the ultrasound images and clips of a study into the folder `instances`, each file whole or not at all. Those that are
 * there stay: instances of an archive do not change.
 *
 * @param onBad - whether to skip or stop at an instance that cannot be fetched.
 * @throws DataError when there is nothing to fetch, or nothing could be fetched; DicomWebError when the archive does not answer.
 */
export async function fetchStudy(request: StudyRequest, onBad: 'stop' | 'skip'): Promise<FetchedStudy> {
  const { client, study, series, out, signal, onProgress } = request;
  const { instances: listed, others } = await client.ultrasound(study, series);
  const instances: FetchedInstance[] = [];
  const bad: DataError[] = [];
  const byFrames: string[] = [];
  let before = 0;
  for (const instance of listed) {
    if (signal?.aborted) break;
    const file = join(out, studyFolders.instances, `${instance.uid}.dcm`);
    const isThere = (await stat(file).catch(() => undefined))?.isFile() === true;
    try {
      if (isThere) before += 1;
      else if (await fetchInstance(client, instance, file)) byFrames.push(instance.uid);
      instances.push({ ...instance, file });
    } catch (error) {
      if (onBad === 'stop' || !(error instanceof DataError)) throw error;
      bad.push(error);
    }
    onProgress?.(instances.length + bad.length, listed.length);
  }
  if (instances.length === 0 && bad[0] !== undefined) throw bad[0];
  return { instances, before, others, bad: bad.map(({ message }) => message), byFrames };
}

/** Fetches an instance as a whole, or a clip that is too large for that by its frames. @returns whether by its frames. */
async function fetchInstance(client: DicomWebClient, instance: StudyInstance, file: string): Promise<boolean> {
  try {
    await client.fetch(instance, file);
    return false;
  } catch (error) {
    if (!(error instanceof DataError) || error.code !== 'E_FILE_TOO_LARGE' || instance.frames < 2) throw error;
    await fetchByFrames(client, instance, file);
    return true;
  }
}
