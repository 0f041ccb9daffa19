import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { parseStoreAddress, S3Store } from '../../src/stores/index.js';
import { readableStoreError } from '../../src/stores/readable-store-error.js';
import { isUnencrypted, storeSettings } from '../../src/stores/store-settings.js';
import { ConfigError, DataError, UsageError } from '../../src/util/index.js';
import { breakOff, FakeStore, refuse, stall, wrongChecksum } from '../support/fake-store.js';

const fake = new FakeStore();
let store: S3Store;
const before = { ...process.env };
beforeAll(async () => {
  await fake.start();
  Object.assign(process.env, fake.env);
  store = await S3Store.open({ idleMs: 500, pauseMs: 1 });
});
afterAll(() => {
  store.close();
  fake.stop();
  process.env = before;
});
beforeEach(() => {
  fake.objects.clear();
  fake.faults.clear();
  fake.read.length = 0;
  fake.page = 1000;
});

const listed = async (address: string) => {
  const keys: string[] = [];
  for await (const { key } of store.list(address)) keys.push(key);
  return keys;
};

describe('a listing', () => {
  it('goes through all pages', async () => {
    for (let i = 0; i < 25; i++) fake.objects.set(`scans/${String(i).padStart(2, '0')}.png`, Buffer.from([i]));
    fake.objects.set('other/x.png', Buffer.from('x'));
    fake.page = 10;
    const begin = fake.listings;
    expect(await listed('s3://archive/scans/')).toEqual([...fake.objects.keys()].filter((key) => key.startsWith('scans/')));
    expect(fake.listings - begin).toBe(3);
  });

  it('gives keys as they are, and each can be read', async () => {
    const keys = [
      'a b.png',
      'a+b.png',
      '100%.png',
      'ü/é.png',
      'line\nbreak.png',
      'q?#&"<>.png',
      '../../up.png',
      'a//b.png',
      './c.png',
    ];
    for (const key of keys) fake.objects.set(key, Buffer.from(key));
    expect((await listed('s3://archive/')).sort()).toEqual([...keys].sort());
    for (const key of keys) expect(String(await store.read(`s3://archive/${key}`))).toBe(key);
    expect(fake.read).toEqual(keys);
  });

  it('names the bucket that does not exist, and the permission that lacks', async () => {
    await expect(listed('s3://nowhere/x/')).rejects.toMatchObject({ code: 'E_STORE_NOT_FOUND', name: 'StoreError' });
    fake.faults.set('', [refuse('AccessDenied', 403)]);
    await expect(listed('s3://archive/x/')).rejects.toMatchObject({ code: 'E_STORE_DENIED', where: 's3://archive/x/' });
  });
});

describe('an object', () => {
  const address = 's3://archive/a.png';
  const content = Buffer.from(Array.from({ length: 5000 }, (_, i) => i % 251));
  beforeEach(() => void fake.objects.set('a.png', content));

  it.each([
    ['breaks off', breakOff(1000)],
    ['stops arriving', stall(1000)],
    ['arrives damaged', wrongChecksum],
  ])('that %s is requested again', async (_name, fault) => {
    fake.faults.set('a.png', [fault]);
    expect((await store.read(address)).equals(content)).toBe(true);
    expect(fake.read.length).toBe(2);
  });

  it.each([
    ['breaks off', breakOff(1000)],
    ['stops arriving', stall(1000)],
    ['arrives damaged', wrongChecksum],
  ])('that always %s is reported, not taken', async (_name, fault) => {
    fake.faults.set('a.png', [fault, fault, fault]);
    await expect(store.read(address)).rejects.toThrow(/a\.png: it did not arrive whole \(.*\), in 2 attempts/);
    expect(fake.read.length).toBe(2);
  });

  it('is read in part where only its beginning is asked for', async () => {
    expect((await store.read(address, { first: 16 })).equals(content.subarray(0, 16))).toBe(true);
  });

  it('that is missing or not allowed concerns itself alone', async () => {
    await expect(store.read('s3://archive/gone.png')).rejects.toBeInstanceOf(DataError);
    await expect(store.read('s3://archive/gone.png')).rejects.toMatchObject({ code: 'E_STORE_NOT_FOUND' });
    fake.faults.set('a.png', [refuse('AccessDenied', 403)]);
    const denied = store.read(address);
    await expect(denied).rejects.toBeInstanceOf(DataError);
    await expect(denied).rejects.toMatchObject({ code: 'E_STORE_DENIED', where: address });
  });

  it.each([
    ['the credentials', refuse('ExpiredToken', 400), 'E_STORE_DENIED'],
    ['the store, which is busy,', refuse('SlowDown', 503), 'E_STORE_UNREACHABLE'],
  ])('ends a batch where %s would fail for all others too', async (_name, fault, code) => {
    fake.faults.set('a.png', [fault, fault, fault]);
    await expect(store.read(address)).rejects.toMatchObject({ code, name: 'StoreError' });
  });
});

describe('a store', () => {
  it('that does not answer is named with its address', async () => {
    const settings = { endpoint: 'http://127.0.0.1:9', region: 'us-east-1', attempts: 1 };
    const dead = await S3Store.open({ settings });
    await expect(dead.read('s3://archive/a.png')).rejects.toMatchObject({
      code: 'E_STORE_UNREACHABLE',
      where: settings.endpoint,
    });
  });

  it('is asked for nothing unless somebody has said which one it is', async () => {
    const settings = { endpoint: undefined, region: undefined, attempts: 1 };
    await expect(S3Store.open({ settings })).rejects.toMatchObject({
      code: 'E_STORE_SETTINGS',
      fix: expect.stringContaining('AWS_ENDPOINT_URL_S3'),
    });
  });

  it('is configured by the variables of Amazon’s tools', () => {
    expect(storeSettings({})).toEqual({ endpoint: undefined, region: undefined, attempts: 5 });
    expect(storeSettings({ AWS_DEFAULT_REGION: 'eu-west-1', AWS_MAX_ATTEMPTS: '3' })).toEqual({
      endpoint: undefined,
      region: 'eu-west-1',
      attempts: 3,
    });
    const own = storeSettings({ AWS_ENDPOINT_URL: 'https://a', AWS_ENDPOINT_URL_S3: 'http://minio:9000' });
    expect(own.endpoint).toBe('http://minio:9000');
    expect([isUnencrypted(own), isUnencrypted({ ...own, endpoint: 'http://127.0.0.1:9000' })]).toEqual([true, false]);
    expect(() => storeSettings({ AWS_ENDPOINT_URL: 'minio:9000' })).toThrow(ConfigError);
    expect(() => storeSettings({ AWS_MAX_ATTEMPTS: 'many' })).toThrow(/AWS_MAX_ATTEMPTS/);
  });

  it('of an unknown failure is quoted', () => {
    const cause = { name: 'Odd', message: 'so', $metadata: { httpStatusCode: 418 } };
    const error = readableStoreError(cause, 's3://b/k', 'http://x');
    expect(error).toMatchObject({ code: 'E_STORE_ANSWER', what: 'the store answered with an error (Odd, 418, so)' });
  });
});

describe('an address', () => {
  it.each([
    's3://',
    's3:///key',
    's3://a',
    's3://..',
    's3://arn:aws:s3:eu-west-1:1:accesspoint/x',
    's3://host:80/x',
    's3://u@host/x',
  ])('%s is refused', (address) => expect(() => parseStoreAddress(address)).toThrow(UsageError));

  it('keeps its key as it is', () => {
    expect(parseStoreAddress('s3://archive/a//b/%2e%2e/c d.png')).toEqual({ bucket: 'archive', key: 'a//b/%2e%2e/c d.png' });
  });
});
