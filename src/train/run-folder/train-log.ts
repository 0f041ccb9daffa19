import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { readableFileError } from '../../util/index.js';
import { scalarsRecord, versionRecord } from './events.js';

const LINES = 'log.jsonl';
const EVENTS = 'events.out.tfevents.0.sonoground';

/** Sizes of the log files, in bytes. */
export interface LogSizes {
  readonly lines: number;
  readonly events: number;
}

/** The log of a run: `log.jsonl`, one line per step and epoch, and the same numbers for TensorBoard. */
export class TrainLog {
  /** Names of the files in the run folder. */
  static readonly files: readonly string[] = [LINES, EVENTS];
  private readonly lines: AppendFile;
  private readonly events: AppendFile;

  private constructor(lines: AppendFile, events: AppendFile) {
    this.lines = lines;
    this.events = events;
  }

  /**
   * Opens a log and truncates it to `sizes`, to resume from there. Default: empty.
   *
   * @throws SonogroundError naming the file when it cannot be written.
   */
  static async open(dir: string, sizes: LogSizes = { lines: 0, events: 0 }): Promise<TrainLog> {
    const log = new TrainLog(
      await AppendFile.open(join(dir, LINES), sizes.lines),
      await AppendFile.open(join(dir, EVENTS), sizes.events),
    );
    if (log.events.size === 0) await log.events.append(await versionRecord(Date.now() / 1000));
    return log;
  }

  /** Writes one line of `log.jsonl`, and its numbers under `<event>/` for TensorBoard. */
  async write(event: string, step: number, numbers: Readonly<Record<string, unknown>>): Promise<void> {
    await this.lines.append(Buffer.from(`${JSON.stringify({ event, step, ...numbers })}\n`));
    const scalars = Object.entries(numbers).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
    const tagged = Object.fromEntries(scalars.map(([name, value]) => [`${event}/${name}`, value]));
    await this.events.append(await scalarsRecord(Date.now() / 1000, step, tagged));
  }

  /** Flushes everything to disk and returns the file sizes. */
  async sync(): Promise<LogSizes> {
    await this.lines.sync();
    await this.events.sync();
    return { lines: this.lines.size, events: this.events.size };
  }

  async close(): Promise<void> {
    await this.lines.close();
    await this.events.close();
  }
}

/** An append-only file. */
class AppendFile {
  private readonly path: string;
  private readonly file: FileHandle;
  private length: number;

  private constructor(path: string, file: FileHandle, length: number) {
    this.path = path;
    this.file = file;
    this.length = length;
  }

  static async open(path: string, length: number): Promise<AppendFile> {
    try {
      const file = await open(path, 'a');
      await file.truncate(length);
      return new AppendFile(path, file, length);
    } catch (cause) {
      throw readableFileError(path, cause);
    }
  }

  get size(): number {
    return this.length;
  }

  async append(content: Buffer): Promise<void> {
    await this.file.writeFile(content).catch((cause) => {
      throw readableFileError(this.path, cause);
    });
    this.length += content.length;
  }

  async sync(): Promise<void> {
    await this.file.sync();
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}
