import { join } from 'node:path';
import { stringify } from 'yaml';
import { type Logger, writeFileAtomic } from '../../util/index.js';
import { type Checkpoint, type MadeWith, writeCheckpoint } from './checkpoint.js';
import { assertSameData, changesSince, type DataRecord, dataRecordFile, digestOf, readDataRecord } from './data-record.js';
import { assertSameRun, type Settings, stepSettings } from './fingerprint.js';
import { RunFolder } from './run-folder.js';
import type { Place } from './run-position.js';
import { TrainLog } from './train-log.js';
import { restoreArrays, type TrainingArrays, withArrays } from './training-state.js';
import { otherVersions, stepVersions } from './versions.js';

/** How the files of a run are opened. */
export interface RunFilesOptions {
  readonly dir: string;
  /** Resume from the folder's newest intact checkpoint. */
  readonly resume: boolean;
  /** Resume although the data differ from those of the checkpoint, with a warning. */
  readonly allowChangedData: boolean;
  /** All settings of the run, saved with it and compared on resume. */
  readonly settings: Settings;
  /** The number of processes that share each batch; undefined for a single one. */
  readonly ranks: number | undefined;
  readonly arrays: TrainingArrays;
  readonly logger: Logger;
}

/** The files of a run while it trains: settings, records of data and versions, log, best weights and checkpoints. */
export class RunFiles {
  private readonly options: RunFilesOptions;
  private readonly folder: RunFolder;
  private made: MadeWith;
  private log: TrainLog | undefined;

  constructor(options: RunFilesOptions) {
    this.options = options;
    this.folder = new RunFolder(options.dir);
    this.made = { settings: stepSettings(options.settings) };
  }

  /** Folder of the best weights. */
  get bestDir(): string {
    return this.folder.bestDir;
  }

  /**
   * Opens the run folder, and restores the arrays of the checkpoint to resume from.
   *
   * @param current - the versions of the software.
   * @returns the position of that checkpoint, or undefined at the beginning.
   */
  async open(data: DataRecord, current: Readonly<Record<string, unknown>>): Promise<Place | undefined> {
    const { dir, resume, settings, ranks, logger } = this.options;
    const versions = { ...stepVersions(current), ...(ranks !== undefined && { ranks: String(ranks) }) };
    this.made = { ...this.made, data: digestOf(data), versions };
    await this.folder.open();
    const last = resume ? await this.folder.newestCheckpoint(({ message }) => logger.warn(message)) : undefined;
    if (last !== undefined) await this.restore(last, data);
    else if (resume) logger.info(`there is no checkpoint in ${dir} yet: training starts from the beginning`);
    else {
      const place = await this.folder.setAside();
      if (place !== undefined) logger.info(`files of an earlier run were moved from ${dir} to ${place}`);
    }
    this.log = await TrainLog.open(dir, last?.progress.log);
    await writeFileAtomic(join(dir, 'config.yaml'), stringify(settings));
    await writeFileAtomic(join(dir, 'versions.json'), `${JSON.stringify(current, null, 2)}\n`);
    // The record describes the data of the next checkpoint.
    if ((await readDataRecord(dir, digestOf(data))) === undefined)
      await writeFileAtomic(join(dir, dataRecordFile), `${JSON.stringify(data, null, 1)}\n`);
    return last?.progress;
  }

  /** Adds a line to the log. Without effect before {@link open}. */
  async write(...line: Parameters<TrainLog['write']>): Promise<void> {
    await this.log?.write(...line);
  }

  /** Makes the weights that `save` writes the best ones. */
  replaceBest(save: (dir: string) => Promise<void>): Promise<void> {
    return this.folder.replaceBest(save);
  }

  /** Flushes the log before writing the checkpoint that records its length; removes checkpoints beyond the last `keepLast`. */
  async writeCheckpoint(place: Place, keepLast: number): Promise<void> {
    const log = (await this.log?.sync()) ?? { lines: 0, events: 0 };
    const file = this.folder.checkpointFile(place.step);
    await withArrays(this.options.arrays, (arrays) => writeCheckpoint(file, arrays, { ...place, log }, this.made));
    await this.folder.prune(keepLast, place.step);
  }

  async close(): Promise<void> {
    await this.log?.close();
  }

  private async restore({ file, tensors, progress, made }: Checkpoint, data: DataRecord): Promise<void> {
    const { settings, arrays, logger } = this.options;
    try {
      assertSameRun(file, made.settings, settings);
      await this.compare(file, made, data);
      restoreArrays(arrays, tensors, progress.step, file);
    } finally {
      for (const tensor of tensors.values()) tensor.dispose();
    }
    logger.info(`resumed at epoch ${progress.epoch + 1}, step ${progress.step}, from ${file}`);
  }

  /** Rejects changed data unless allowed; warns about other versions. */
  private async compare(file: string, before: MadeWith, data: DataRecord): Promise<void> {
    const { dir, allowChangedData, logger } = this.options;
    if (before.data === undefined || before.versions === undefined) {
      logger.warn(`${file}: it does not record the data and versions that it was made with, so these are not compared`);
      return;
    }
    if (!allowChangedData) await assertSameData(file, before.data, data, dir);
    const changes = await changesSince(before.data, data, dir);
    if (changes !== undefined) logger.warn(`${file}: the data have changed: ${changes}; allowed by --allow-changed-data`);
    const others = otherVersions({ ranks: '1', ...before.versions }, { ranks: '1', ...this.made.versions });
    if (others !== undefined) logger.warn(`${file}: ${others}; further steps may differ from those of an uninterrupted run`);
  }
}
