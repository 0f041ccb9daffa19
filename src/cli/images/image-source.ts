import { stat } from 'node:fs/promises';
import { readImageFile } from '../../imaging/index.js';
import type { ImageSource } from '../../infer/index.js';
import { S3Store } from '../../stores/index.js';

/** A local file of a list. */
export class LocalFile implements ImageSource {
  private constructor(
    private readonly file: string,
    readonly part: string | undefined,
    readonly version: string | undefined,
  ) {}

  static async at(file: string, part: string | undefined): Promise<LocalFile> {
    const info = await stat(file).catch(() => undefined);
    return new LocalFile(file, part, info && `${info.size} ${info.mtimeMs}`);
  }

  /** Special files, which may never end, are refused by the reader of images. */
  read(): Promise<Uint8Array> {
    return readImageFile(this.file);
  }
}

/** The configured store, opened when it is first needed. */
export class LazyStore {
  private opened: Promise<S3Store> | undefined;

  get(): Promise<S3Store> {
    this.opened ??= S3Store.open();
    return this.opened;
  }

  async close(): Promise<void> {
    (await this.opened?.catch(() => undefined))?.close();
  }
}

/** An object of a store. */
export class StoredFile implements ImageSource {
  constructor(
    private readonly store: LazyStore,
    private readonly address: string,
    readonly version: string | undefined,
    readonly part: string | undefined,
  ) {}

  async read(signal: AbortSignal): Promise<Uint8Array> {
    return (await this.store.get()).read(this.address, { signal });
  }
}
