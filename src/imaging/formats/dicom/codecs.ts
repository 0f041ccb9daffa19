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

interface Module {
  readonly [kind: string]: unknown;
  /** The module's memory as it is now. */
  readonly HEAPU8: Uint8Array;
}

/** WebAssembly modules are compiled once, when the first file needs them. */
const modules = new Map<string, Promise<Module>>();

/** Memory of a module grows and never shrinks: one that has grown beyond this many bytes is given up after use. */
const MAX_KEPT = 128e6;

type Factory = (options: {
  readonly locateFile: (name: string) => string;
  readonly print: (line: string) => void;
  readonly printErr: (line: string) => void;
}) => Promise<Module>;

/** What the decoders said since the last frame began: some return an empty picture or half of one instead of failing. */
let complaints: string[] = [];

function moduleOf(name: string): Promise<Module> {
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

/** Whether a packing can be read here: all can. The page refuses those whose decoders it may not run. */
export function requireDecoder(_packing: 'JPEG-LS' | 'JPEG 2000'): void {}

/** Decodes JPEG-LS, lossless and near-lossless. */
export async function decodeJpegLs(packed: Uint8Array): Promise<DecodedFrame> {
  return decode<CharlsDecoder>(
    '@cornerstonejs/codec-charls/decodewasmjs',
    'JpegLSDecoder',
    packed,
    (decoder) => decoder.getInterleaveMode() === 0,
  );
}

/** Decodes JPEG 2000; colour transforms of the code stream itself are undone. */
export async function decodeJpeg2000(packed: Uint8Array): Promise<DecodedFrame> {
  return decode('@cornerstonejs/codec-openjpeg/decodewasmjs', 'J2KDecoder', packed, () => false);
}

async function decode<T extends Decoder>(
  name: string,
  kind: string,
  packed: Uint8Array,
  planar: (decoder: T) => boolean,
): Promise<DecodedFrame> {
  const module = await moduleOf(name);
  const decoder = new (module[kind] as new () => T)();
  complaints = [];
  try {
    decoder.getEncodedBuffer(packed.length).set(packed);
    decoder.decode();
    if (complaints.some((line) => line.startsWith('[ERROR]'))) throw new Error(complaints.join('; '));
    const info = decoder.getFrameInfo();
    const bytes = Uint8Array.from(decoder.getDecodedBuffer());
    return { ...info, bytes, planar: planar(decoder) && info.componentCount > 1 };
  } catch (cause) {
    // A module that has stopped in the middle of its work is not fit for more.
    modules.delete(name);
    throw cause;
  } finally {
    // Their memory is not the garbage collector's.
    decoder.delete();
    if (module.HEAPU8.length > MAX_KEPT) modules.delete(name);
  }
}
