import { DataError } from '../../../util/index.js';
import type { RasterImage } from '../../raster-image.js';
import { readDataSet } from './data-set.js';
import { type DicomHeader, parseDicomHeader } from './dicom-header.js';
import { findFrames } from './find-frames.js';
import type { Frames } from './frames.js';
import { type Palette, paletteOf } from './palette.js';
import { renderFrame } from './render-frame.js';
import { unpackFrame } from './samples.js';
import { segmentationForm } from './segmentation-header.js';
import { unreadableDicom } from './unreadable.js';

/** A deflated byte can expand a thousandfold, so a file of a few megabytes could exhaust memory. */
const MAX_INFLATED = 1e9;

/** A DICOM file with a single image or a cine clip. The encoded file is held in memory; frames are decoded on demand. */
export class DicomFile {
  readonly file: string;
  readonly header: DicomHeader;
  private readonly frames: Frames;
  private readonly palette: Palette | undefined;

  private constructor(file: string, header: DicomHeader, frames: Frames, palette: Palette | undefined) {
    this.file = file;
    this.header = header;
    this.frames = frames;
    this.palette = palette;
  }

  /**
   * @param maxInflated - maximum size of an inflated file in bytes. Default: 1 GB.
   * @throws DataError naming the file when it is damaged, holds no image, more or fewer than stated, or one of an unsupported
   *   kind.
   */
  static async parse(bytes: Uint8Array, file: string, maxInflated: number = MAX_INFLATED): Promise<DicomFile> {
    try {
      const { set, syntax } = await readDataSet(bytes, maxInflated, file);
      if (segmentationForm(set) !== undefined)
        throw new DataError({
          code: 'E_IMAGE_NO_PIXELS',
          where: file,
          what: 'it is a segmentation, which is a mask of an image',
          fix: 'Choose an image file; give segmentations as masks',
        });
      const header = parseDicomHeader(set, syntax, file);
      const palette = header.photometric === 'PALETTE COLOR' ? paletteOf(set, header.signed, file) : undefined;
      return new DicomFile(file, header, findFrames(set, header, file), palette);
    } catch (cause) {
      if (cause instanceof DataError) throw cause;
      throw unreadableDicom(file, cause);
    }
  }

  /**
   * Decodes a frame: colours as RGB, grey through the file's window.
   *
   * @param frame - from 0.
   * @throws DataError naming the file when there is no such frame or it is damaged.
   */
  async image(frame: number): Promise<RasterImage> {
    const { frames } = this.header;
    if (!Number.isInteger(frame) || frame < 0 || frame >= frames) {
      const fix = frames === 1 ? 'There is one, number 0' : `They are numbered 0 to ${frames - 1}`;
      throw new DataError({ code: 'E_FRAME_NOT_FOUND', where: this.file, what: `there is no frame ${frame}`, fix });
    }
    const { sampling } = this.frames;
    const samples = await unpackFrame(this.frames.bytes(frame), this.header, sampling, this.file);
    return renderFrame(samples, this.header, this.palette, frame);
  }
}
