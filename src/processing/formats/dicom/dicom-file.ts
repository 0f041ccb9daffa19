import type { DataSet } from 'dicom-parser';
import { DataError } from '../../../util/index.js';
import type { RasterImage } from '../../raster-image.js';
import { type DicomHeader, parseDicomHeader } from './dicom-header.js';
import { frameBytes } from './frames.js';
import { inflateDataSet } from './inflate.js';
import { type Palette, paletteOf } from './palette.js';
import { pictureOf } from './picture.js';
import { unpackFrame } from './samples.js';

/** Whether a file begins as DICOM files do, after a preamble of 128 bytes. */
export function isDicom(bytes: Uint8Array): boolean {
  return bytes.length > 132 && String.fromCharCode(...bytes.subarray(128, 132)) === 'DICM';
}

const [IMPLICIT, EXPLICIT] = ['1.2.840.10008.1.2', '1.2.840.10008.1.2.1'];

/** Old files begin with their first element: explicit ones have two letters after its tag. */
function guessSyntax(bytes: Uint8Array): string {
  return /^[A-Z]{2}$/.test(String.fromCharCode(...bytes.subarray(4, 6))) ? EXPLICIT : IMPLICIT;
}

/** The parser throws texts, errors and records of both. */
function unreadable(where: string, cause: unknown): DataError {
  const text = String((cause as { exception?: unknown }).exception ?? cause);
  const cut = /past end|past the end|beyond|overrun|EOF|buffer length/i.test(text);
  const what = cut ? 'it is damaged or cut off' : 'it cannot be read as DICOM';
  return new DataError({ where, what, fix: 'Copy or export it again', cause });
}

const MAX_INFLATED = 2e9;

/** A DICOM file of one picture or a film of pictures. The file's bytes are in memory; a frame is unpacked when it is asked for. */
export class DicomFile {
  readonly file: string;
  readonly header: DicomHeader;
  private readonly set: DataSet;
  private readonly palette: Palette | undefined;

  private constructor(file: string, header: DicomHeader, set: DataSet) {
    this.file = file;
    this.header = header;
    this.set = set;
    this.palette = header.photometric === 'PALETTE COLOR' ? paletteOf(set, header.signed, file) : undefined;
  }

  /**
   * @param maxInflated - bytes to which a deflated file may grow. Default: 2 GB.
   * @throws DataError naming the file when it is damaged, holds no picture, or one of a kind that is not read.
   */
  static async parse(bytes: Uint8Array, file: string, maxInflated: number = MAX_INFLATED): Promise<DicomFile> {
    const { parseDicom, readPart10Header } = (await import('dicom-parser')).default;
    try {
      const headless = isDicom(bytes) ? {} : { TransferSyntaxUID: guessSyntax(bytes) };
      const set = parseDicom(bytes, {
        ...headless,
        // What is returned is read from its beginning: the data set alone, without the header that was not deflated.
        inflater: (packed: Uint8Array, position: number) => inflateDataSet(packed.subarray(position), maxInflated),
      });
      const syntax = headless.TransferSyntaxUID ?? readPart10Header(bytes).string('x00020010')?.trim() ?? IMPLICIT;
      return new DicomFile(file, parseDicomHeader(set, syntax, file), set);
    } catch (cause) {
      if (cause instanceof DataError) throw cause;
      throw unreadable(file, cause);
    }
  }

  /**
   * A frame as a picture: colours as RGB, grey through the file's window.
   *
   * @param frame - from 0.
   * @throws DataError naming the file when there is no such frame or it is damaged.
   */
  async picture(frame: number): Promise<RasterImage> {
    const { frames } = this.header;
    if (!Number.isInteger(frame) || frame < 0 || frame >= frames) {
      const fix = frames === 1 ? 'There is one, number 0' : `They are numbered 0 to ${frames - 1}`;
      throw new DataError({ where: this.file, what: `there is no frame ${frame}`, fix });
    }
    const packed = await frameBytes(this.set, this.header, frame, this.file).catch((cause) => {
      if (cause instanceof DataError) throw cause;
      throw new DataError({
        where: this.file,
        what: `frame ${frame} cannot be found in it`,
        fix: 'It is damaged or cut off: copy or export it again',
        cause,
      });
    });
    return pictureOf(await unpackFrame(packed, this.header, this.file), this.header, this.palette);
  }
}
