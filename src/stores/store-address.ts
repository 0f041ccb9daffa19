import { UsageError } from '../util/index.js';

/** A place in an S3-compatible store. */
export interface StoreAddress {
  readonly bucket: string;
  /** May be empty: the whole bucket. */
  readonly key: string;
}

const ADDRESS = /^s3:\/\//i;

/** What buckets may be called; in particular no ARN, which would lead to another account or region than the one configured. */
const BUCKET = /^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/i;

/** S3 allows keys of up to 1024 bytes. */
const KEY_BYTES = 1024;

/** Whether a name is the address of an object or folder in a store. */
export function isStoreAddress(name: string): boolean {
  return ADDRESS.test(name);
}

/**
 * Parses `s3://bucket/key`. The key is taken as it is, without decoding.
 *
 * @throws UsageError for a malformed bucket or too long a key.
 */
export function parseStoreAddress(address: string): StoreAddress {
  const [bucket = '', ...steps] = address.replace(ADDRESS, '').split('/');
  const key = steps.join('/');
  const what = !BUCKET.test(bucket)
    ? `"${bucket}" is not the name of a bucket`
    : Buffer.byteLength(key) > KEY_BYTES
      ? `the key has more than ${KEY_BYTES} bytes`
      : undefined;
  if (what === undefined) return { bucket, key };
  throw new UsageError({
    code: 'E_STORE_ADDRESS',
    where: address,
    what,
    fix: 'Write it as s3://bucket/key or s3://bucket/folder/',
  });
}

/** The inverse of {@link parseStoreAddress}. */
export function storeAddress({ bucket, key }: StoreAddress): string {
  return `s3://${bucket}/${key}`;
}
