import { setTimeout as sleep } from 'node:timers/promises';
import { type Logger, type RetryPace, silentLogger, withRetries } from '../util/index.js';
import { type Answer, ask, type Question } from './http.js';
import { mayPass, requireStatus } from './refusals.js';
import type { ArchiveSettings } from './settings.js';

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

/** Options of the requests to one archive. */
export interface RequestOptions {
  readonly settings: ArchiveSettings;
  readonly pace?: Partial<ArchivePace>;
  /** Reports retries. Default: nowhere. */
  readonly logger?: Logger;
}

/** Media types to ask for: as it is stored, and for archives that refuse that. */
export interface AcceptedTypes {
  readonly stored: string;
  readonly plain: string;
}

const JSON_TYPES = 'application/dicom+json';

/** Sends requests to one DICOMweb archive. Each is retried while the archive is busy, failing or away. */
export class ArchiveRequests {
  readonly settings: ArchiveSettings;
  private readonly pace: ArchivePace;
  private readonly logger: Logger;
  /** What the archive has refused to send as it is stored. */
  private readonly plain = new Set<AcceptedTypes>();

  constructor({ settings, pace, logger = silentLogger }: RequestOptions) {
    this.settings = settings;
    this.pace = { ...defaultPace, ...pace };
    this.logger = logger;
  }

  /** Asks for something as it is stored, or of an archive that refuses that, as it sends it. */
  retrieve<T>(path: string, where: string, types: AcceptedTypes, receive: (answer: Answer) => Promise<T>): Promise<T> {
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

  /** A listing, a report or metadata as text; empty if the archive has none. */
  text(path: string, where: string): Promise<string> {
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

  /** Sends a request that is answered in JSON, once. The answer must be closed. */
  send(path: string, body: Question['body'] & {}): Promise<Answer> {
    return this.open({ path, accept: JSON_TYPES, body });
  }

  /** Runs something that sends requests, again as long as its failures may pass. */
  retried<T>(act: () => Promise<T>): Promise<T> {
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

  private open(question: Question): Promise<Answer> {
    return ask(question, this.settings, this.pace.silenceMs);
  }
}
