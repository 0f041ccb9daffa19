import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** What both decoders have: the bytes go into their memory, the pixels come out of it. */
interface Decoder {
  getEncodedBuffer(length: number): Uint8Array;
  getDecodedBuffer(): Uint8Array;
  decode(): void;
  getFrameInfo(): FrameInfo;
  delete(): void;
}

interface FrameInfo {
  readonly width: number;
  readonly height: number;
  readonly bitsPerSample: number;
  readonly componentCount: number;
  readonly isSigned?: boolean;
}

interface CharlsDecoder extends Decoder {
  /** 0: planes, 1: lines, 2: samples together. */
  getInterleaveMode(): 0 | 1 | 2;
}

/** A decoded frame. */
export interface DecodedFrame extends FrameInfo {
  /** Little-endian samples of one byte, or of two above 8 bits. */
  readonly bytes: Uint8Array;
  readonly planar: boolean;
}

const require = createRequire(import.meta.url);

/** WebAssembly modules are compiled once, when the first file needs them. */
const modules = new Map<string, Promise<Record<string, new () => Decoder>>>();

type Factory = (options: {
  readonly locateFile: (name: string) => string;
  readonly print: (line: string) => void;
  readonly printErr: (line: string) => void;
}) => Promise<Record<string, new () => Decoder>>;

/** What the decoders said since the last frame began: some return an empty picture or half of one instead of failing. */
let complaints: string[] = [];

function moduleOf(name: string): Promise<Record<string, new () => Decoder>> {
  const known = modules.get(name);
  if (known !== undefined) return known;
  const path = require.resolve(name);
  const started = import(path).then(({ default: factory }: { default: Factory }) =>
    factory({
      locateFile: (file) => join(dirname(path), file),
      print: (line) => complaints.push(line),
      printErr: (line) => complaints.push(line),
    }),
  );
  modules.set(name, started);
  return started;
}

/** Decodes JPEG-LS, lossless and near-lossless. */
export async function decodeJpegLs(packed: Uint8Array): Promise<DecodedFrame> {
  const { JpegLSDecoder } = (await moduleOf('@cornerstonejs/codec-charls/decodewasmjs')) as Record<
    string,
    new () => CharlsDecoder
  >;
  return run(JpegLSDecoder as new () => CharlsDecoder, packed, (decoder) => decoder.getInterleaveMode() === 0);
}

/** Decodes JPEG 2000; colour transforms of the code stream itself are undone. */
export async function decodeJpeg2000(packed: Uint8Array): Promise<DecodedFrame> {
  const { J2KDecoder } = await moduleOf('@cornerstonejs/codec-openjpeg/decodewasmjs');
  return run(J2KDecoder as new () => Decoder, packed, () => false);
}

function run<T extends Decoder>(Kind: new () => T, packed: Uint8Array, planar: (decoder: T) => boolean): DecodedFrame {
  const decoder = new Kind();
  complaints = [];
  try {
    decoder.getEncodedBuffer(packed.length).set(packed);
    decoder.decode();
    if (complaints.some((line) => line.startsWith('[ERROR]'))) throw new Error(complaints.join('; '));
    const info = decoder.getFrameInfo();
    const bytes = Uint8Array.from(decoder.getDecodedBuffer());
    return { ...info, bytes, planar: planar(decoder) && info.componentCount > 1 };
  } finally {
    // Their memory is not the garbage collector's.
    decoder.delete();
  }
}
