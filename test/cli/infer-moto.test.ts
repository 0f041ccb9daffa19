import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { PhantomDataset, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { encodePng } from '../../src/imaging/index.js';
import type { CocoImages } from '../../src/infer/index.js';
import { S3Store } from '../../src/stores/index.js';
import { runCommand } from '../support/command.js';
import { Moto, motoMissing } from '../support/moto.js';
import { describeUnless } from '../support/skipped.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const dir = temporaryFolder('infer-moto');
const run = (...words: string[]) => runCommand(words.map((word) => word.replaceAll('@', `${dir}/`)));

describeUnless(motoMissing, 'a store by moto', () => {
  let moto: Moto;
  let client: S3Client;
  const before = { ...process.env };
  beforeAll(async () => {
    moto = await Moto.start();
    Object.assign(process.env, {
      AWS_ENDPOINT_URL_S3: moto.endpoint,
      AWS_ACCESS_KEY_ID: 'a-key',
      AWS_SECRET_ACCESS_KEY: 'a-secret',
      AWS_MAX_ATTEMPTS: '2',
      AWS_CONFIG_FILE: '/nowhere',
    });
    client = new S3Client({ endpoint: moto.endpoint, forcePathStyle: true, region: 'us-east-1' });
    await client.send(new CreateBucketCommand({ Bucket: 'archive' }));
  });
  afterAll(async () => {
    client.destroy();
    await moto?.stop();
    process.env = before;
  });
  const put = (Key: string, Body: Buffer) => client.send(new PutObjectCommand({ Bucket: 'archive', Key, Body }));

  it('is listed beyond the first page, and asked for objects that it has', async () => {
    const keys = Array.from({ length: 1100 }, (_, i) => `many/${String(i).padStart(4, '0')} +ü.png`);
    for (let i = 0; i < keys.length; i += 50) await Promise.all(keys.slice(i, i + 50).map((key) => put(key, Buffer.from(key))));
    const store = await S3Store.open();
    const found: string[] = [];
    for await (const { address } of store.list('s3://archive/many/')) found.push(address);
    expect(found).toEqual(keys.map((key) => `s3://archive/${key}`));
    expect(String(await store.read(found[1050] as string))).toBe(keys[1050]);
    await expect(store.read('s3://archive/many/gone.png')).rejects.toMatchObject({ code: 'E_STORE_NOT_FOUND' });
    await expect(store.read('s3://no-such-bucket/a.png')).rejects.toMatchObject({ code: 'E_STORE_NOT_FOUND' });
    store.close();
  });

  it('is segmented in shards, odd keys and a broken image among good ones', async () => {
    const domain = phantomDomains['standard'] as PhantomDomain;
    const phantoms = new PhantomDataset({ size: 3, seed: 7, width: 90, height: 70, domain });
    const keys = ['scans/a b+c.png', 'scans/ü/é%20.png', 'scans/../up.png'];
    for (const [i, key] of keys.entries()) await put(key, Buffer.from(await encodePng((await phantoms.load(i)).image)));
    await put('scans/broken.png', Buffer.from('no image'));
    const words = ['--image', 's3://archive/scans/', '--prompt', 'cyst. kidney.', '--out', '@out'];
    const codes: number[] = [];
    for (const i of [0, 1]) {
      const seen = await run('infer', ...words, '--shard', `${i}/2`);
      codes.push(seen.code);
      if (seen.code === 1) expect(seen.text).toMatch(/s3:\/\/archive\/scans\/broken\.png: it cannot be read as an image/);
    }
    expect(codes.sort()).toEqual([0, 1]);
    await run('merge', '--from', '@out/shards/0-of-2', '@out/shards/1-of-2', '--to', '@out');
    const { images } = JSON.parse(await readFile(join(dir, 'out', 'images.json'), 'utf8')) as CocoImages;
    expect(images.map(({ name, file_name }) => [name, file_name]).sort()).toEqual([
      ['a b+c', 'a b+c.png'],
      ['up', '../up.png'],
      ['ü/é%20', 'ü/é%20.png'],
    ]);
  });
});
