import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { DataError } from '../../util/index.js';

const run = promisify(execFile);

/** The programs, by their names on the search path. */
const [FFMPEG, FFPROBE] = ['ffmpeg', 'ffprobe'];

/** A header that takes longer to read is that of another kind of file, or an attack. */
const PROBE_MS = 60_000;
const PROBE_BYTES = 2 ** 22;

/** Only the named file is opened, whatever addresses are in it. */
const LOCAL = ['-protocol_whitelist', 'file,pipe'];

/** What ffprobe says of a video. */
export interface VideoHeader {
  /** As displayed. */
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  readonly frameSeconds: number | undefined;
  readonly codec: string;
}

interface Probed {
  readonly streams?: readonly {
    readonly width?: number;
    readonly height?: number;
    readonly codec_name?: string;
    readonly avg_frame_rate?: string;
    readonly nb_read_packets?: string;
    readonly side_data_list?: readonly { readonly rotation?: number }[];
  }[];
}

/** Whether ffmpeg can be started. */
export async function hasFfmpeg(): Promise<boolean> {
  return run(FFMPEG, ['-version']).then(
    () => true,
    () => false,
  );
}

/**
 * Reads a video's header and counts its frames, without decoding them.
 *
 * @param demuxer - ffmpeg's name of the container. Not guessed from the content: lists of other files would be followed.
 * @throws DataError naming the file when ffprobe is not installed, or the file has no video that it can read.
 */
export async function probeVideo(file: string, demuxer: string): Promise<VideoHeader> {
  const entries = 'stream=width,height,codec_name,avg_frame_rate,nb_read_packets:stream_side_data=rotation';
  const args = ['-v', 'error', ...LOCAL, '-f', demuxer, '-select_streams', 'v:0', '-count_packets', '-show_entries', entries];
  const { stdout } = await run(FFPROBE, [...args, '-of', 'json', '-i', `file:${file}`], {
    timeout: PROBE_MS,
    maxBuffer: PROBE_BYTES,
  }).catch((cause: NodeJS.ErrnoException & { stderr?: string }) => {
    throw cause.code === 'ENOENT' ? missing(file, FFPROBE, cause) : unreadable(file, cause.stderr ?? '', cause);
  });
  const [stream] = (JSON.parse(stdout) as Probed).streams ?? [];
  const { width = 0, height = 0, codec_name: codec = 'unknown', nb_read_packets: packets } = stream ?? {};
  const frames = Number(packets ?? 0);
  if (!(width > 0 && height > 0 && frames > 0)) throw unreadable(file, 'it has no frame of video', undefined);
  const turned = (stream?.side_data_list ?? []).some(({ rotation = 0 }) => Math.abs(rotation) % 180 === 90);
  const [rate, per] = (stream?.avg_frame_rate ?? '0/0').split('/').map(Number);
  const frameSeconds = rate !== undefined && per !== undefined && rate > 0 && per > 0 ? per / rate : undefined;
  return { width: turned ? height : width, height: turned ? width : height, frames, frameSeconds, codec };
}

/** Decodes a video from frame `from` on to RGB, three bytes a pixel, on the program's standard output. */
export function startDecoding(file: string, demuxer: string, from: number): ChildProcess {
  const select = from === 0 ? [] : ['-vf', `select=gte(n\\,${from})`];
  // Every stored frame once: by default, some are repeated or dropped for a constant rate.
  const each = ['-vsync', '0'];
  const input = ['-nostdin', '-v', 'error', ...LOCAL, '-f', demuxer, '-i', `file:${file}`, '-map', '0:v:0'];
  const output = [...select, ...each, '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'];
  return spawn(FFMPEG, [...input, ...output], { stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Encodes RGB frames, three bytes a pixel, from the program's standard input, to H.264 in an MP4 that players of all kinds read. */
export function startEncoding(
  file: string,
  size: { readonly width: number; readonly height: number },
  seconds: number,
): ChildProcess {
  const rate = (1 / seconds).toFixed(6);
  const input = [
    '-v',
    'error',
    '-y',
    '-f',
    'rawvideo',
    '-pix_fmt',
    'rgb24',
    '-s',
    `${size.width}x${size.height}`,
    '-r',
    rate,
    '-i',
    'pipe:0',
  ];
  // H.264 stores colours for pairs of pixels: an odd size gets a black line.
  const even = [
    '-vf',
    'pad=ceil(iw/2)*2:ceil(ih/2)*2',
    '-c:v',
    'libx264',
    '-crf',
    '18',
    '-pix_fmt',
    'yuv420p',
    '-movflags',
    '+faststart',
  ];
  return spawn(FFMPEG, [...input, ...even, '-f', 'mp4', `file:${file}`], { stdio: ['pipe', 'ignore', 'pipe'] });
}

/** The error for a file that ffmpeg cannot decode. */
export function unreadable(file: string, said: string, cause: unknown): DataError {
  const first = said.split('\n').find((line) => line.trim() !== '') ?? '';
  return new DataError({
    code: 'E_IMAGE_UNREADABLE',
    where: file,
    what: `it cannot be read as a video${first === '' ? '' : ` (${first.slice(0, 200).replaceAll(`file:${file}`, 'the file')})`}`,
    fix: 'Check that it is complete, and that your ffmpeg decodes its codec',
    cause,
  });
}

/** The error for a program that is not installed. */
export function missing(file: string, program: string, cause: unknown): DataError {
  return new DataError({
    code: 'E_PROGRAM_MISSING',
    where: file,
    what: `a video needs ${program}, which is not installed`,
    fix: 'Install ffmpeg (https://ffmpeg.org), or export the clip as DICOM, TIFF, animated WebP or numbered frames',
    cause,
  });
}
