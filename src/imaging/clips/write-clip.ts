import { once } from 'node:events';
import { rename, rm } from 'node:fs/promises';
import sharp from 'sharp';
import { DataError, readableFileError, temporaryPath } from '../../util/index.js';
import { decodeImage } from '../image.js';
import { missing, startEncoding } from './ffmpeg.js';

/** Playback of a clip whose file states no rate, in seconds a frame. */
const DEFAULT_SECONDS = 0.04;

/** WebP counts in milliseconds; players show shorter ones at 100. */
const LEAST_MS = 20;

/**
 * Joins image files of one size into an animated WebP, which loops. Written under a temporary name and renamed.
 *
 * @param frames - PNG files in order.
 * @param seconds - of a frame. Default: 0.04.
 * @throws SonogroundError when it cannot be written.
 */
export async function writeWebp(path: string, frames: readonly string[], seconds = DEFAULT_SECONDS): Promise<void> {
  const delay = Math.max(LEAST_MS, Math.round(1000 * seconds));
  await atomically(path, async (temporary) => {
    await sharp([...frames], { join: { animated: true }, limitInputPixels: false })
      .webp({ quality: 80, effort: 2, loop: 0, delay: frames.map(() => delay) })
      .toFile(temporary);
  });
}

/**
 * Encodes image files of one size as an MP4 (H.264) by ffmpeg. Written under a temporary name and renamed.
 *
 * @throws DataError when ffmpeg is not installed, or fails.
 */
export async function writeMp4(path: string, frames: readonly string[], seconds = DEFAULT_SECONDS): Promise<void> {
  const { width, height } = await sharp(frames[0]).metadata();
  await atomically(path, async (temporary) => {
    const size = { width, height };
    const child = startEncoding(temporary, size, seconds);
    let said = '';
    child.stderr?.on('data', (text: Buffer) => {
      if (said.length < 4096) said += text.toString('utf8');
    });
    const ended = new Promise<number | null>((done, fail) => {
      child.once('close', done);
      child.once('error', (cause: NodeJS.ErrnoException) =>
        fail(cause.code === 'ENOENT' ? missing(path, 'ffmpeg', cause) : cause),
      );
    });
    ended.catch(() => {});
    // A write to a program that has ended fails; its exit code says why.
    child.stdin?.on('error', () => {});
    for (const frame of frames) {
      const { data } = await decodeImage(frame);
      if (child.exitCode !== null || child.stdin?.destroyed !== false) break;
      if (!child.stdin.write(data)) await Promise.race([once(child.stdin, 'drain'), ended]);
    }
    child.stdin?.end();
    if ((await ended) !== 0)
      throw new DataError({
        code: 'E_IMAGE_FORMAT',
        where: path,
        what: `ffmpeg could not encode it (${said.split('\n')[0]?.slice(0, 200) ?? ''})`,
        fix: 'Install an ffmpeg with libx264; the animated WebP holds the same frames',
      });
  });
}

async function atomically(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = temporaryPath(path);
  try {
    await write(temporary);
    await rename(temporary, path);
  } catch (cause) {
    throw readableFileError(path, cause);
  } finally {
    await rm(temporary, { force: true }).catch(() => {});
  }
}
