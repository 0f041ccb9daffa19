import { setTimeout as sleep } from 'node:timers/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import { DataError } from '../util/index.js';
import { readableStoreError } from './readable-store-error.js';
import { CutOffError, receive } from './receive.js';
import { parseStoreAddress, storeAddress } from './store-address.js';
import { StoreError } from './store-error.js';
import { isUnencrypted, type StoreSettings, storeSettings } from './store-settings.js';

/** An object of a listing. */
export interface StoredObject {
  /** `s3://bucket/key`. */
  readonly address: string;
  readonly key: string;
  readonly bytes: number;
  /** Changes with the content. */
  readonly etag: string;
}

interface StoreOptions {
  readonly settings?: StoreSettings;
  /** How long to wait for an answer, and for the next bytes of a body. Default: one minute. */
  readonly idleMs?: number;
  /** The pause before a body is requested again; it doubles each time. Default: half a second. */
  readonly pauseMs?: number;
}

/** Larger objects are refused, like larger files: the maximum of a buffer. */
const MAX_BYTES = 2 ** 31 - 1;

const IDLE_MS = 60_000;
const PAUSE_MS = 500;
const CONNECT_MS = 10_000;

type Sdk = typeof import('@aws-sdk/client-s3');

/**
 * An S3-compatible store: Amazon's, MinIO, Ceph and others. It is only read, and only asked for what is named. The SDK is loaded
 * when the first store is opened.
 */
export class S3Store {
  private constructor(
    private readonly sdk: Sdk,
    private readonly client: S3Client,
    private readonly settings: StoreSettings,
    private readonly idleMs: number,
    private readonly pauseMs: number,
  ) {}

  /**
   * Opens the configured store, without a request.
   *
   * @throws StoreError when no store is configured, or the SDK is not installed; ConfigError for a variable that cannot be used.
   */
  static async open({ settings = storeSettings(), idleMs = IDLE_MS, pauseMs = PAUSE_MS }: StoreOptions = {}): Promise<S3Store> {
    const sdk = await loadSdk();
    const { endpoint, region, attempts } = settings;
    const client = new sdk.S3Client({
      ...(region === undefined ? {} : { region }),
      // Other stores than Amazon's seldom have a host name for each bucket.
      ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
      maxAttempts: attempts,
      requestHandler: {
        connectionTimeout: CONNECT_MS,
        socketTimeout: idleMs,
      },
    });
    // An address alone does not tell whose bucket it is: nothing is sent to Amazon unless somebody has chosen it.
    await client.config.region().catch((cause: unknown) => {
      client.destroy();
      throw new StoreError({
        code: 'E_STORE_SETTINGS',
        where: 's3://',
        what: 'it is not configured which store is meant',
        fix: 'Set AWS_ENDPOINT_URL_S3 to the address of your store, or AWS_REGION for Amazon S3',
        cause,
      });
    });
    return new S3Store(sdk, client, settings, idleMs, pauseMs);
  }

  /** The address of the store, for messages. */
  get endpoint(): string {
    return this.settings.endpoint ?? 'Amazon S3';
  }

  /** Whether images travel over a network without encryption. */
  get unencrypted(): boolean {
    return isUnencrypted(this.settings);
  }

  /**
   * Lists all objects whose key begins with that of the address, in the store's order.
   *
   * @throws StoreError or DataError when it cannot be listed.
   */
  async *list(address: string): AsyncGenerator<StoredObject> {
    const { bucket, key: prefix } = parseStoreAddress(address);
    let token: string | undefined;
    do {
      const command = new this.sdk.ListObjectsV2Command({
        Bucket: bucket,
        Prefix: prefix,
        // Keys may hold characters that XML cannot.
        EncodingType: 'url',
        ...(token === undefined ? {} : { ContinuationToken: token }),
      });
      const page = await this.client.send(command).catch((cause: unknown) => {
        throw readableStoreError(cause, address, this.endpoint);
      });
      const decoded = page.EncodingType === 'url' ? decodeKey : (text: string) => text;
      for (const { Key, Size = 0, ETag = '' } of page.Contents ?? []) {
        const key = decoded(Key ?? '');
        yield { address: storeAddress({ bucket, key }), key, bytes: Size, etag: ETag.replaceAll('"', '') };
      }
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  /**
   * Reads an object, or its first bytes, into memory. A body that is cut off, stops or has a wrong checksum is requested again.
   *
   * @throws DataError when the object is missing, too large, not readable or always cut off; StoreError when the store does not
   * answer or does not accept the credentials.
   */
  async read(address: string, { first, signal }: { first?: number; signal?: AbortSignal } = {}): Promise<Buffer> {
    const { attempts } = this.settings;
    for (let attempt = 1; ; attempt++)
      try {
        return await this.readOnce(address, first, signal);
      } catch (error) {
        if (!(error instanceof CutOffError)) throw readableStoreError(error, address, this.endpoint);
        if (attempt < attempts && !signal?.aborted) await sleep(this.pauseMs * 2 ** (attempt - 1));
        else throw cutOff(address, attempt, error);
      }
  }

  private async readOnce(address: string, first: number | undefined, signal: AbortSignal | undefined): Promise<Buffer> {
    const { bucket, key } = parseStoreAddress(address);
    const own = new AbortController();
    const both = signal === undefined ? own.signal : AbortSignal.any([signal, own.signal]);
    const range = first === undefined ? {} : { Range: `bytes=0-${first - 1}` };
    try {
      const command = new this.sdk.GetObjectCommand({ Bucket: bucket, Key: key, ...range });
      const { Body, ContentLength: stated } = await this.client.send(command, { abortSignal: both });
      if (stated !== undefined && stated > MAX_BYTES)
        throw new DataError({
          code: 'E_FILE_TOO_LARGE',
          where: address,
          what: `it has ${(stated / 1e9).toFixed(1)} GB`,
          fix: `Objects of up to ${(MAX_BYTES / 1e9).toFixed(1)} GB are read: divide it, or check what it is`,
        });
      return await receive(Body as AsyncIterable<Uint8Array>, { stated, idleMs: this.idleMs });
    } catch (error) {
      // A range of an empty object.
      if ((error as { name?: string }).name === 'InvalidRange') return Buffer.alloc(0);
      throw error;
    } finally {
      own.abort();
    }
  }

  /** Closes its connections. */
  close(): void {
    this.client.destroy();
  }
}

async function loadSdk(): Promise<Sdk> {
  try {
    return await import('@aws-sdk/client-s3');
  } catch (cause) {
    throw new StoreError({
      code: 'E_STORE_SETTINGS',
      where: 's3://',
      what: 'the package @aws-sdk/client-s3, which reads such addresses, is not installed',
      fix: 'Run npm install @aws-sdk/client-s3',
      cause,
    });
  }
}

function cutOff(address: string, attempts: number, cause: unknown): DataError {
  return new DataError({
    code: 'E_STORE_ANSWER',
    where: address,
    what: `it did not arrive whole (${(cause as Error).message}), in ${attempts} attempts`,
    fix: 'Check the network and the store; then run it again',
    cause,
  });
}

/** Keys are encoded as in a form. */
function decodeKey(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}
