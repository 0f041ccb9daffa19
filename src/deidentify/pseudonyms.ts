import { createHmac, randomBytes } from 'node:crypto';

/** Days by which dates are shifted at most: ten years back, at least one day. */
const DAYS = 3650;

/**
 * Replaces identifiers by others that cannot be traced back without the key, the same one for the same identifier: a keyed hash
 * (HMAC-SHA-256). With a new key per run, nothing connects two runs.
 */
export class Pseudonyms {
  private readonly key: Uint8Array;

  /** @param key - at least 16 bytes. Default: a new random key. */
  constructor(key: Uint8Array = randomBytes(KEY_BYTES)) {
    this.key = key;
  }

  /** A UID derived from a UUID (PS3.5, annex B.2) in place of another UID. */
  uid(value: string): string {
    const bytes = this.hash('uid', value).subarray(0, 16);
    // A version 8 UUID: free content.
    bytes[6] = ((bytes[6] as number) & 0x0f) | 0x80;
    bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
    return `2.25.${BigInt(`0x${bytes.toString('hex')}`)}`;
  }

  /** A short name in place of a patient, study, folder or file. */
  name(kind: string, value: string): string {
    return this.hash(kind, value).toString('hex', 0, 8);
  }

  /** Days by which to shift the dates of a patient, so that intervals between them stay. Negative. */
  days(patient: string): number {
    return -1 - (this.hash('days', patient).readUInt32BE(0) % DAYS);
  }

  private hash(kind: string, value: string): Buffer {
    return createHmac('sha256', this.key).update(`${kind}\0${value}`).digest();
  }
}

/** Length of a key. */
export const KEY_BYTES = 32;
