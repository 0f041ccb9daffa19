import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Common interface of both decoders: encoded bytes are written to their memory, pixels are read from it. */
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
  /** 0: planar, 1: by line, 2: by pixel. */
  getInterleaveMode(): 0 | 1 | 2;
}

/** A decoded frame. */
export interface DecodedFrame extends FrameInfo {
  /** Little-endian samples, one byte each up to 8 bits, otherwise two. */
  readonly bytes: Uint8Array;
  readonly planar: boolean;
}

const require = createRequire(import.meta.url);

interface Module {
  readonly [kind: string]: unknown;
  /** The module's current memory. */
  readonly HEAPU8: Uint8Array;
}

/** WebAssembly modules are compiled once, on first use. */
const modules = new Map<string, Promise<Module>>();

/** A module's memory never shrinks: modules that have grown beyond this many bytes are discarded after use. */
const MAX_KEPT = 128e6;

type Factory = (options: {
  readonly locateFile: (name: string) => string;
  readonly print: (line: string) => void;
  readonly printErr: (line: string) => void;
}) => Promise<Module>;

/** Decoder messages for the current frame: some decoders return an empty or partial image instead of failing. */
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

/** Checks that an encoding can be decoded here: in Node, all can. The page refuses those whose decoders it may not run. */
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

/** Decodes JPEG 2000, undoing the code stream's own colour transform. */
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
    // A module that failed while decoding is in an undefined state.
    modules.delete(name);
    throw cause;
  } finally {
    // WebAssembly memory is not garbage-collected.
    decoder.delete();
    if (module.HEAPU8.length > MAX_KEPT) modules.delete(name);
  }
}
