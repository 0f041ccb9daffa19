import type { Photometric } from './dicom-header.js';

/** Pixel encodings, as far as colours are concerned. */
export type Coding = 'native' | 'rle' | 'jpeg' | 'jpeg-lossless' | 'jpeg-ls' | 'jpeg-2000';

/** The colour space stated by an encoded stream: none, RGB, YCbCr, or a transform of its own, which its decoder undoes. */
export type StatedColour = 'nothing' | 'rgb' | 'ybr' | 'own-transform';

/** The colour space of a decoder's output, or `label` where the Photometric Interpretation decides. */
type Outcome = 'rgb' | 'ybr' | 'label';

/**
 * The colour space of decoded pixels. For lossy JPEG the stream takes precedence, since the label often stays what it was before
 * compression; lossless JPEG has no transform, so its markers are mere convention; JPEG 2000 may use its transform only under the
 * labels YBR_RCT and YBR_ICT, so if it does under another, the label is wrong. Sources: docs/decisions/0019-dicom-colour.md.
 */
const BY_STREAM: Readonly<Record<Coding, Readonly<Record<StatedColour, Outcome>>>> = {
  native: { nothing: 'label', rgb: 'label', ybr: 'label', 'own-transform': 'label' },
  rle: { nothing: 'label', rgb: 'label', ybr: 'label', 'own-transform': 'label' },
  jpeg: { nothing: 'label', rgb: 'rgb', ybr: 'ybr', 'own-transform': 'ybr' },
  'jpeg-lossless': { nothing: 'label', rgb: 'label', ybr: 'label', 'own-transform': 'label' },
  'jpeg-ls': { nothing: 'label', rgb: 'label', ybr: 'label', 'own-transform': 'label' },
  'jpeg-2000': { nothing: 'label', rgb: 'rgb', ybr: 'ybr', 'own-transform': 'rgb' },
};

/** Meaning of the labels. YBR_ICT and YBR_RCT name JPEG 2000's transform, after whose decoding colours are RGB. */
const BY_LABEL: Readonly<Record<Photometric, 'rgb' | 'ybr' | 'grey'>> = {
  MONOCHROME1: 'grey',
  MONOCHROME2: 'grey',
  'PALETTE COLOR': 'grey',
  RGB: 'rgb',
  YBR_FULL: 'ybr',
  YBR_FULL_422: 'ybr',
  YBR_ICT: 'rgb',
  YBR_RCT: 'rgb',
};

/** Whether a decoder returns RGB or colours to convert. Irrelevant for single-sample images. */
export function comesAs(coding: Coding, stated: StatedColour, label: Photometric): 'rgb' | 'ybr' {
  const outcome = BY_STREAM[coding][stated];
  if (outcome !== 'label') return outcome;
  // A JPEG 2000 label on a JPEG merely indicates YCbCr, JPEG's default.
  if (coding === 'jpeg') return label === 'RGB' ? 'rgb' : 'ybr';
  return BY_LABEL[label] === 'ybr' ? 'ybr' : 'rgb';
}

/** Converts full-range YCbCr, as in JPEG (DICOM PS3.3, C.7.6.3.1.2), to RGB. */
export function rgbFromYbr(bytes: Uint8Array): Uint8Array {
  const out = new Uint8ClampedArray(bytes.length);
  for (let i = 0; i < bytes.length; i += 3) {
    const [y, cb, cr] = [bytes[i] as number, (bytes[i + 1] as number) - 128, (bytes[i + 2] as number) - 128];
    out[i] = y + 1.402 * cr;
    out[i + 1] = y - 0.344136 * cb - 0.714136 * cr;
    out[i + 2] = y + 1.772 * cb;
  }
  return new Uint8Array(out.buffer);
}
