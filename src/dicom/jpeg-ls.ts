import { createRequire } from 'node:module';

/** A frame of samples to compress. */
interface FrameSamples {
  readonly width: number;
  readonly height: number;
  readonly bitsStored: number;
  /** Of several samples a pixel, those of a pixel lie together. */
  readonly samples: number;
  /** Native little-endian unsigned samples, one or two bytes each. */
  readonly bytes: Uint8Array;
}

interface Encoder {
  getDecodedBuffer(info: {
    readonly width: number;
    readonly height: number;
    readonly bitsPerSample: number;
    readonly componentCount: number;
  }): Uint8Array;
  setNearLossless(error: number): void;
  setInterleaveMode(mode: number): void;
  encode(): void;
  getEncodedBuffer(): Uint8Array;
  delete(): void;
}

/** Samples of a pixel together. */
const BY_SAMPLE = 2;

/** Compresses a frame without losses. */
type JpegLsEncoder = (frame: FrameSamples) => Uint8Array;

/** Loads the encoder of JPEG-LS. */
export async function loadJpegLsEncoder(): Promise<JpegLsEncoder> {
  const { default: factory } = await import(createRequire(import.meta.url).resolve('@cornerstonejs/codec-charls/wasmjs'));
  const module = (await factory({ print: () => {}, printErr: () => {} })) as { readonly JpegLSEncoder: new () => Encoder };
  return ({ width, height, bitsStored, samples, bytes }) => {
    const encoder = new module.JpegLSEncoder();
    try {
      encoder.getDecodedBuffer({ width, height, bitsPerSample: bitsStored, componentCount: samples }).set(bytes);
      encoder.setNearLossless(0);
      if (samples > 1) encoder.setInterleaveMode(BY_SAMPLE);
      encoder.encode();
      return Uint8Array.from(encoder.getEncodedBuffer());
    } finally {
      // WebAssembly memory is not garbage-collected.
      encoder.delete();
    }
  };
}
