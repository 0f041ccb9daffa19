import type { ChildProcess } from 'node:child_process';
import { extname, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { DataError } from '../../util/index.js';
import { openImageFile } from '../formats/image-file.js';
import type { RasterImage } from '../raster-image.js';
import type { ClipSource } from './clip-source.js';
import { missing, probeVideo, startDecoding, unreadable } from './ffmpeg.js';

/** ffmpeg's containers by file name extension. */
const DEMUXERS: Readonly<Record<string, string>> = {
  '.mp4': 'mov',
  '.m4v': 'mov',
  '.mov': 'mov',
  '.avi': 'avi',
  '.mkv': 'matroska',
  '.webm': 'matroska',
};

const MAX_PIXELS = 100_000_000;
const MAX_FRAMES = 1_000_000;

/** Backwards, frames are decoded in stretches of this many, as decoding only goes forwards. */
const STRETCH = 32;
const STRETCH_BYTES = 48 * 2 ** 20;

/** Whether a file is a video, by its name. */
export function isVideoName(file: string): boolean {
  return Object.hasOwn(DEMUXERS, extname(file).toLowerCase());
}

/** The frames of an MP4, AVI, MOV, MKV or WebM, decoded by ffmpeg in a process of its own, which is read as frames are asked for. */
export async function videoClip(file: string): Promise<ClipSource> {
  const demuxer = DEMUXERS[extname(file).toLowerCase()] as string;
  // A pipe or a device may never end.
  await (await openImageFile(file, Number.POSITIVE_INFINITY)).handle.close();
  const path = resolve(file);
  const { width, height, frames, frameSeconds } = await probeVideo(path, demuxer);
  if (width * height > MAX_PIXELS || frames > MAX_FRAMES)
    throw new DataError({
      code: 'E_IMAGE_TOO_LARGE',
      where: file,
      what: `it has ${frames} frames of ${width}x${height} pixels; up to ${MAX_FRAMES} of ${MAX_PIXELS / 1e6} million are read`,
      fix: 'Check the file, or divide it',
    });
  const bytes = width * height * 3;
  const stretch = Math.max(1, Math.min(STRETCH, Math.floor(STRETCH_BYTES / bytes)));
  let running: Decoding | undefined;
  let last = -1;
  const restart = async (from: number): Promise<Decoding> => {
    await running?.stop();
    running = new Decoding(file, startDecoding(path, demuxer, from), from);
    return running;
  };
  return {
    name: file,
    frames,
    width,
    height,
    frameSeconds,
    notices: [],
    address: (index) => `${file}#${index}`,
    async decode(index) {
      const ahead = running !== undefined && index >= running.next && index - running.next <= stretch;
      const backwards = index < last;
      last = index;
      // The stretch that ends with this frame: the ones before it are asked for next.
      const from = ahead ? (running as Decoding).next : backwards ? Math.max(0, index - stretch + 1) : index;
      const decoding = ahead ? (running as Decoding) : await restart(from);
      const read: RasterImage[] = [];
      while (decoding.next <= index) {
        const data = await decoding.frame(bytes);
        if (data === undefined) throw await decoding.ended(frames);
        read.push({ width, height, data });
      }
      return { first: from, images: read };
    },
    close: async () => running?.stop(),
  };
}

/** A running ffmpeg, read frame by frame. */
class Decoding {
  /** The frame that is read next. */
  next: number;
  private readonly file: string;
  private readonly child: ChildProcess;
  private readonly output: Readable;
  private readonly exited: Promise<unknown>;
  private said = '';
  private failure: NodeJS.ErrnoException | undefined;

  constructor(file: string, child: ChildProcess, from: number) {
    this.file = file;
    this.child = child;
    this.next = from;
    this.output = child.stdout as Readable;
    child.stderr?.on('data', (text: Buffer) => {
      if (this.said.length < 4096) this.said += text.toString('utf8');
    });
    this.exited = new Promise((done) => {
      child.once('error', (error) => {
        this.failure = error;
        this.output.destroy();
        done(undefined);
      });
      child.once('close', done);
    });
  }

  /** The next frame, or undefined when there is none, or a part of one. */
  async frame(bytes: number): Promise<Uint8Array | undefined> {
    const data = new Uint8Array(bytes);
    let filled = 0;
    while (filled < bytes) {
      const chunk = (this.output.read(Math.min(bytes - filled, this.output.readableLength || bytes)) ?? undefined) as
        | Buffer
        | undefined;
      if (chunk !== undefined) {
        data.set(chunk, filled);
        filled += chunk.length;
      } else if (this.output.readableEnded || this.output.destroyed || !(await this.readable())) return undefined;
    }
    this.next += 1;
    return data;
  }

  private readable(): Promise<boolean> {
    return new Promise((done) => {
      const settle = (more: boolean) => {
        for (const [event, listener] of Object.entries(listeners)) this.output.off(event, listener);
        done(more);
      };
      const listeners = {
        readable: () => settle(true),
        end: () => settle(false),
        close: () => settle(false),
        error: () => settle(false),
      };
      for (const [event, listener] of Object.entries(listeners)) this.output.on(event, listener);
    });
  }

  /** The reason why there is no further frame. */
  async ended(frames: number): Promise<DataError> {
    await this.exited;
    if (this.failure?.code === 'ENOENT') return missing(this.file, 'ffmpeg', this.failure);
    if (this.next === 0) return unreadable(this.file, this.said, this.failure);
    return new DataError({
      code: 'E_IMAGE_DAMAGED',
      where: `${this.file}#${this.next}`,
      what: `the clip ends before frame ${this.next}, its header says ${frames} frames`,
      fix: 'It is damaged or cut off: copy or export it again',
      cause: this.said,
    });
  }

  async stop(): Promise<void> {
    this.output.destroy();
    this.child.kill('SIGKILL');
    await this.exited;
  }
}
