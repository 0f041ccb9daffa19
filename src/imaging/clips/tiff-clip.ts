import { parsePart } from '../formats/address.js';
import { decodeByLibrary } from '../formats/library.js';
import { type TiffPage, tiffPages } from '../formats/tiff-pages.js';
import { type ClipSource, otherSize } from './clip-source.js';

/**
 * The pages of a TIFF as frames.
 *
 * @throws DataError naming the first page of another size, before any is decoded.
 */
export async function tiffClip(bytes: Buffer, file: string): Promise<ClipSource> {
  const pages = tiffPages(bytes, file);
  const [first] = pages as [TiffPage, ...TiffPage[]];
  for (const [index, page] of pages.entries())
    if (page.width !== first.width || page.height !== first.height) throw otherSize(`${file}#${index}`, index, page, first);
  const page = (index: number) => decodeByLibrary(bytes, file, parsePart(String(index)));
  // The orientation may turn it.
  const { width, height } = await page(0);
  return {
    name: file,
    frames: pages.length,
    width,
    height,
    notices: [],
    address: (index) => `${file}#${index}`,
    decode: async (index) => ({ first: index, images: [await page(index)] }),
  };
}
