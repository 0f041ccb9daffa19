import { DataError } from '../util/index.js';
import { ArchiveRequests, type RequestOptions } from './archive-requests.js';
import { frameTypes, readFrames, type SentFrame } from './frames.js';
import type { Answer } from './http.js';
import { type JsonDataSet, parseDataSets } from './json-model.js';
import { listInstances } from './query.js';
import { unexpected } from './refusals.js';
import { instanceTypes, readInstance, saveInstance } from './retrieve.js';
import { isOpenToAll } from './settings.js';
import { lackingObjects, type StoredObject, storeObjects } from './store.js';
import { isUltrasound, type StudyInstance } from './study-instance.js';

/** Options of a client. */
export interface ArchiveOptions extends RequestOptions {
  /** Largest instance that is read as a whole, in bytes. Default: 2 GB, as an image file is read into memory. */
  readonly mostBytes?: number;
}

const MOST_BYTES = 2 ** 31 - 1;

/** The frames of one request are in memory together. */
const MOST_FRAMES_BYTES = 2 ** 30;

/** A client of one DICOMweb archive. Each request is retried while the archive is busy, failing or away. */
export class DicomWebClient {
  readonly mostBytes: number;
  private readonly requests: ArchiveRequests;

  constructor({ mostBytes = MOST_BYTES, ...requests }: ArchiveOptions) {
    this.mostBytes = mostBytes;
    this.requests = new ArchiveRequests(requests);
  }

  get address(): string {
    return this.requests.settings.address;
  }

  /** Whether images travel over a network without encryption. */
  get unencrypted(): boolean {
    return isOpenToAll(this.address);
  }

  /**
   * Lists the ultrasound images and clips of a study, or of one of its series, and counts its other objects.
   *
   * @throws DataError when the archive has no such study, or it holds no such image; DicomWebError when the archive does not answer.
   */
  async ultrasound(
    study: string,
    series: string | undefined,
  ): Promise<{ readonly instances: readonly StudyInstance[]; readonly others: number }> {
    const where = series === undefined ? `study ${study}` : `series ${series} of study ${study}`;
    const all = await listInstances((path) => this.requests.text(path, where), { study, series });
    const instances = all.filter(isUltrasound);
    if (instances.length > 0) return { instances, others: all.length - instances.length };
    throw all.length === 0
      ? new DataError({
          code: 'E_DICOMWEB_NOT_FOUND',
          where,
          what: `${this.address} lists nothing of it`,
          fix: 'Check the UIDs',
        })
      : new DataError({
          code: 'E_NO_IMAGES',
          where,
          what: `none of its ${all.length} objects is an ultrasound image`,
          fix: 'Name a study with ultrasound images',
        });
  }

  /** The ultrasound images and clips of a series, by its UID alone, in the order of their numbers; none if it is unknown. */
  async series(series: string): Promise<readonly StudyInstance[]> {
    const found = await listInstances((path) => this.requests.text(path, `series ${series}`), { series });
    return found.filter(isUltrasound).sort((a, b) => a.number - b.number);
  }

  /**
   * Writes the file of an instance, atomically.
   *
   * @throws DataError when this instance cannot be fetched; DicomWebError when none can.
   */
  fetch(instance: StudyInstance, path: string): Promise<void> {
    return this.get(instance, (answer, where) => saveInstance(answer, path, where, this.mostBytes));
  }

  /** Reads the file of an instance into memory. @throws as {@link fetch}. */
  read(instance: StudyInstance): Promise<Buffer> {
    return this.get(instance, (answer, where) => readInstance(answer, where, this.mostBytes));
  }

  /** The elements of an instance but for pixels and other binary values, which have none. @throws as {@link fetch}. */
  async metadata(instance: StudyInstance): Promise<JsonDataSet> {
    const where = `instance ${instance.uid}`;
    const [set] = parseDataSets(await this.requests.text(`${pathOf(instance)}/metadata`, where), where);
    if (set === undefined) throw unexpected(where, 'its metadata are empty');
    return set;
  }

  /**
   * Some frames of an instance, as they are stored if the archive sends that.
   *
   * @param numbers - from 1.
   * @throws as {@link fetch}.
   */
  frames(instance: StudyInstance, numbers: readonly number[]): Promise<SentFrame[]> {
    const where = `frames ${numbers[0]} to ${numbers.at(-1)} of instance ${instance.uid}`;
    const path = `${pathOf(instance)}/frames/${numbers.join(',')}`;
    return this.requests.retrieve(path, where, frameTypes, (answer) =>
      readFrames(answer, where, numbers.length, MOST_FRAMES_BYTES),
    );
  }

  private get<T>(instance: StudyInstance, receive: (answer: Answer, where: string) => Promise<T>): Promise<T> {
    const where = `instance ${instance.uid}`;
    return this.requests.retrieve(pathOf(instance), where, instanceTypes, (answer) => receive(answer, where));
  }

  /** Stores objects of one study in one request, none of them twice. @throws as {@link storeObjects}. */
  store(study: string, objects: readonly StoredObject[]): Promise<void> {
    return storeObjects(this.requests, study, objects);
  }

  /** The objects that the archive does not list. */
  lacking(study: string, objects: readonly StoredObject[]): Promise<StoredObject[]> {
    return lackingObjects(this.requests, study, objects);
  }
}

function pathOf({ study, series, uid }: StudyInstance): string {
  return `/studies/${study}/series/${series}/instances/${uid}`;
}
