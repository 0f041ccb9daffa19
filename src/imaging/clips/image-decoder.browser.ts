import { DataError } from '../../util/index.js';
import { drawnPixels } from '../formats/pixels.browser.js';
import type { RasterImage } from '../raster-image.js';
import type { ClipSource } from './clip-source.js';
import { CLIP } from './sent-clip.js';

/** WebCodecs' decoder of images, as far as it is used here; not every browser has it. */
interface Decoder {
  readonly tracks: { readonly ready: Promise<void>; readonly selectedTrack: { readonly frameCount: number } | null };
  readonly completed: Promise<void>;
  decode(options: { readonly frameIndex: number }): Promise<{ readonly image: Frame }>;
  close(): void;
}

interface Frame {
  readonly displayWidth: number;
  readonly displayHeight: number;
  /** In microseconds. */
  readonly duration: number | null;
  close(): void;
}

type DecoderClass = new (init: { readonly data: Uint8Array; readonly type: string }) => Decoder;

/**
 * The frames of an animated WebP or GIF.
 *
 * @throws DataError where the browser has no decoder of frames, or for a damaged file.
 */
export async function openAnimation(bytes: Uint8Array, type: string): Promise<ClipSource> {
  const { ImageDecoder } = globalThis as unknown as { readonly ImageDecoder?: DecoderClass };
  if (ImageDecoder === undefined)
    throw new DataError({
      code: 'E_IMAGE_BROWSER',
      where: CLIP,
      what: 'this browser shows animations but does not give their frames',
      fix: 'Take another one, or a DICOM file',
    });
  const decoder = new ImageDecoder({ data: bytes, type });
  try {
    await decoder.tracks.ready;
    await decoder.completed;
    const frames = decoder.tracks.selectedTrack?.frameCount ?? 1;
    const { image: first } = await decoder.decode({ frameIndex: 0 });
    const { displayWidth: width, displayHeight: height, duration } = first;
    first.close();
    return {
      name: CLIP,
      frames,
      width,
      height,
      frameSeconds: duration === null || duration <= 0 ? undefined : duration / 1e6,
      notices: [],
      address: (index) => `${CLIP}#${index}`,
      decode: async (index) => ({ first: index, images: [await decoded(decoder, index)] }),
      close: async () => decoder.close(),
    };
  } catch (cause) {
    decoder.close();
    throw damaged(cause);
  }
}

async function decoded(decoder: Decoder, frameIndex: number): Promise<RasterImage> {
  const { image } = await decoder.decode({ frameIndex }).catch((cause: unknown) => {
    throw damaged(cause);
  });
  try {
    return drawnPixels(image as unknown as CanvasImageSource, image.displayWidth, image.displayHeight);
  } finally {
    image.close();
  }
}

function damaged(cause: unknown): DataError {
  return new DataError({
    code: 'E_IMAGE_DAMAGED',
    where: CLIP,
    what: 'it cannot be decoded: the file is damaged or cut off',
    fix: 'Copy or export it again',
    cause,
  });
}
