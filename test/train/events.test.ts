import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { crc32c, scalarsRecord, versionRecord } from '../../src/train/run-folder/events.js';
import { TrainLog } from '../../src/train/run-folder/train-log.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const dir = temporaryFolder('events');

/** The messages of an event file; fails where a checksum is wrong. */
function messages(file: Buffer): Buffer[] {
  const masked = (content: Buffer) => {
    const crc = crc32c(content);
    return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
  };
  const found: Buffer[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at));
    expect(file.readUInt32LE(at + 8)).toBe(masked(file.subarray(at, at + 8)));
    const message = file.subarray(at + 12, at + 12 + length);
    expect(file.readUInt32LE(at + 12 + length)).toBe(masked(message));
    found.push(message);
    at += 16 + length;
  }
  return found;
}

describe('event files', () => {
  it('have the checksum of RFC 3720', () => {
    // Appendix B.4 of the RFC, and the check value of the catalogue of CRC algorithms.
    expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
    expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  });

  it('hold protocol buffers', async () => {
    const [version] = messages(await versionRecord(1.5)) as [Buffer];
    expect(version.toString('hex')).toBe(`09${'000000000000f83f'}1a0d${Buffer.from('brain.Event:2').toString('hex')}`);
    const [event] = messages(await scalarsRecord(1.5, 300, { ab: 0.5 })) as [Buffer];
    // wall_time, step as a varint, summary { value { tag "ab", simple_value 0.5 } }
    expect(event.toString('hex')).toBe(`09${'000000000000f83f'}10ac02${'2a0b'}${'0a09'}${'0a026162'}${'150000003f'}`);
  });

  it('and the log are cut back to a checkpoint', async () => {
    const log = await TrainLog.open(dir);
    await log.write('step', 1, { total: 0.25, names: ['a'] });
    const sizes = await log.sync();
    await log.write('step', 2, { total: 0.5 });
    await log.close();
    const again = await TrainLog.open(dir, sizes);
    await again.write('step', 2, { total: 0.75 });
    await again.close();
    expect(await readFile(join(dir, 'log.jsonl'), 'utf8')).toBe(
      '{"event":"step","step":1,"total":0.25,"names":["a"]}\n{"event":"step","step":2,"total":0.75}\n',
    );
    const [name = ''] = (await readdir(dir)).filter((file) => file.includes('tfevents'));
    expect(messages(await readFile(join(dir, name)))).toHaveLength(3);
  });
});
