import { setTimeout as sleep } from 'node:timers/promises';
import { DataError, type Logger, type RetryPace, silentLogger, withRetries } from '../util/index.js';
import { DicomWebError } from './dicomweb-error.js';
import { frameTypes, plainFrameTypes, readFrames, type SentFrame } from './frames.js';
import { type Answer, ask, type Question } from './http.js';
import { type JsonDataSet, parseDataSets } from './json-model.js';
import { joinFiles } from './multipart.js';
import { isListed, listInstances } from './query.js';
import { mayPass, requireStatus, unexpected } from './refusals.js';
import { instanceTypes, plainInstanceTypes, readInstance, saveInstance } from './retrieve.js';
import { type ArchiveSettings, isOpenToAll } from './settings.js';
import { parseStoreReport, type StoredObject } from './store.js';
import { isUltrasound, type StudyInstance } from './study-instance.js';

/** Timeouts and retries of requests. */
interface ArchivePace extends RetryPace {
  /** Time without data after which a connection is given up. */
  readonly silenceMs: number;
}

const defaultPace: ArchivePace = {
  attempts: 5,
  firstWaitMs: 1000,
  longestWaitMs: 120_000,
  silenceMs: 60_000,
  sleep: (ms) => sleep(ms),
};

/** Options of a client. */
export interface ArchiveOptions {
  readonly settings: ArchiveSettings;
  readonly pace?: Partial<ArchivePace>;
  /** Reports retries. Default: nowhere. */
  readonly logger?: Logger;
  /** Largest instance that is read as a whole, in bytes. Default: 2 GB, as an image file is read into memory. */
  readonly mostBytes?: number;
}

const MOST_BYTES = 2 ** 31 - 1;

/** The frames of one request are in memory together. */
const MOST_FRAMES_BYTES = 2 ** 30;

/** Types to ask for: as it is stored, and for archives that refuse that. */
interface Types {
  readonly stored: string;
  readonly plain: string;
}

const INSTANCES: Types = { stored: instanceTypes, plain: plainInstanceTypes };
const FRAMES: Types = { stored: frameTypes, plain: plainFrameTypes };

const JSON_TYPES = 'application/dicom+json';

/** A client of one DICOMweb archive. Each request is retried while the archive is busy, failing or away. */
export class DicomWebClient {
  private readonly settings: ArchiveSettings;
  private readonly pace: ArchivePace;
  private readonly logger: Logger;
  readonly mostBytes: number;
  /** What the archive has refused to send as it is stored. */
  private readonly plain = new Set<Types>();

  constructor({ settings, pace, logger = silentLogger, mostBytes = MOST_BYTES }: ArchiveOptions) {
    this.mostBytes = mostBytes;
    this.settings = settings;
    this.pace = { ...defaultPace, ...pace };
    this.logger = logger;
  }

  get address(): string {
    return this.settings.address;
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
    const all = await listInstances((path) => this.readText(path, where), { study, series });
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
    const found = await listInstances((path) => this.readText(path, `series ${series}`), { series });
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
    const [set] = parseDataSets(await this.readText(`${pathOf(instance)}/metadata`, where), where);
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
    return this.retrieve(path, where, FRAMES, (answer) => readFrames(answer, where, numbers.length, MOST_FRAMES_BYTES));
  }

  private get<T>(instance: StudyInstance, receive: (answer: Answer, where: string) => Promise<T>): Promise<T> {
    const where = `instance ${instance.uid}`;
    return this.retrieve(pathOf(instance), where, INSTANCES, (answer) => receive(answer, where));
  }

  /** Asks for something as it is stored, or of an archive that refuses that, as it sends it. */
  private retrieve<T>(path: string, where: string, types: Types, receive: (answer: Answer) => Promise<T>): Promise<T> {
    return this.retried(async () => {
      const open = () => this.open({ path, accept: this.plain.has(types) ? types.plain : types.stored });
      let answer = await open();
      if (!this.plain.has(types) && [400, 406].includes(answer.status)) {
        answer.close();
        this.plain.add(types);
        answer = await open();
      }
      try {
        requireStatus(where, answer, [200]);
        return await receive(answer);
      } finally {
        answer.close();
      }
    });
  }

  /** Whether the archive lists an object of a study. */
  has(study: string, uid: string): Promise<boolean> {
    return isListed((path) => this.readText(path, `object ${uid}`), study, uid);
  }

  /**
   * Stores objects of one study in one request. If the answer is lost or speaks of failures, the archive is asked which it has, and
   * only those that are missing are sent again: an archive never gets a second copy.
   *
   * @throws DicomWebError naming which objects the archive has, and its reasons for the others.
   */
  async store(study: string, objects: readonly StoredObject[]): Promise<void> {
    let missing = objects;
    let uncertain = false;
    await this.retried(async () => {
      if (uncertain) missing = await this.lacking(study, missing);
      if (missing.length === 0) return;
      uncertain = true;
      const failed = await this.send(study, missing);
      const left = missing.filter(({ uid }) => failed.has(uid));
      if (left.length === 0) return;
      // Some may be there from before.
      const absent = await this.lacking(study, left);
      if (absent.length > 0) throw refused(study, objects, absent, failed);
    });
  }

  /** The objects that the archive does not list. */
  async lacking(study: string, objects: readonly StoredObject[]): Promise<StoredObject[]> {
    const lacking: StoredObject[] = [];
    for (const object of objects) if (!(await this.has(study, object.uid))) lacking.push(object);
    return lacking;
  }

  /** @returns the reason for each object that was not stored. */
  private async send(study: string, objects: readonly StoredObject[]): Promise<ReadonlyMap<string, string>> {
    const where = `study ${study}`;
    const body = joinFiles(objects.map(({ bytes }) => bytes));
    const answer = await this.open({ path: `/studies/${study}`, accept: JSON_TYPES, body });
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
      throw mayPass(error, this.settings);
    } finally {
      answer.close();
    }
  }

  private readText(path: string, where: string): Promise<string> {
    return this.retried(async () => {
      const answer = await this.open({ path, accept: JSON_TYPES });
      try {
        requireStatus(where, answer, [200, 204]);
        return answer.status === 204 ? '' : await answer.text();
      } finally {
        answer.close();
      }
    });
  }

  private async open(question: Question): Promise<Answer> {
    return ask(question, this.settings, this.pace.silenceMs);
  }

  private retried<T>(act: () => Promise<T>): Promise<T> {
    const once = async () => {
      try {
        return await act();
      } catch (error) {
        throw mayPass(error, this.settings);
      }
    };
    return withRetries(once, this.pace, (reason, waitMs) =>
      this.logger.warn(`${reason}; trying again in ${Math.ceil(waitMs / 1000)} s`),
    );
  }
}

function pathOf({ study, series, uid }: StudyInstance): string {
  return `/studies/${study}/series/${series}/instances/${uid}`;
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
