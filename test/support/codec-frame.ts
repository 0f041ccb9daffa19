import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** JPEG 2000 and JPEG-LS by the codecs' own encoders, lossless. */
export async function codecFrame(
  kind: 'jpeg-2000' | 'jpeg-ls',
  bytes: Uint8Array,
  { width, height, bits = 8, components = 1 }: { width: number; height: number; bits?: number; components?: number },
): Promise<Uint8Array> {
  const [codec, name] =
    kind === 'jpeg-ls' ? ['@cornerstonejs/codec-charls', 'JpegLSEncoder'] : ['@cornerstonejs/codec-openjpeg', 'J2KEncoder'];
  const { default: factory } = await import(require.resolve(codec));
  const made = await factory({ print: () => {}, printErr: () => {} });
  const encoder = new made[name]();
  encoder
    .getDecodedBuffer({
      width,
      height,
      bitsPerSample: bits,
      componentCount: components,
      isSigned: false,
      isUsingColorTransform: components === 3,
    })
    .set(bytes);
  if (kind === 'jpeg-ls') encoder.setInterleaveMode(components === 3 ? 2 : 0);
  else encoder.setDecompositions(1);
  encoder.encode();
  return Uint8Array.from(encoder.getEncodedBuffer());
}
