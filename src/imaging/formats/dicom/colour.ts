import type { Photometric } from './dicom-header.js';

/** Codings of pixels, as far as colours are concerned. */
export type Coding = 'native' | 'rle' | 'jpeg' | 'jpeg-lossless' | 'jpeg-ls' | 'jpeg-2000';

/**
 * What a packed stream says of its own colours: nothing, that they are RGB, that they are luminance and colour differences, or
 * that it carries a transform of its own, which its decoder undoes.
 */
export type StatedColour = 'nothing' | 'rgb' | 'ybr' | 'own-transform';

/** The colours that a decoder hands over, or `label` where Photometric Interpretation decides. */
type Outcome = 'rgb' | 'ybr' | 'label';

/**
 * Whether colours come as RGB or have to be converted. In JPEG with losses the stream is believed, for the label often stays
 * what it was before compression; lossless JPEG knows no transform, so that its marks are a writer's habit; JPEG 2000 may not
 * carry its transform under any label but YBR_RCT and YBR_ICT, and where it does, the label is the mistake.
 * docs/decisions/0019-dicom-colour.md has the sources.
 */
const BY_STREAM: Readonly<Record<Coding, Readonly<Record<StatedColour, Outcome>>>> = {
  native: { nothing: 'label', rgb: 'label', ybr: 'label', 'own-transform': 'label' },
  rle: { nothing: 'label', rgb: 'label', ybr: 'label', 'own-transform': 'label' },
  jpeg: { nothing: 'label', rgb: 'rgb', ybr: 'ybr', 'own-transform': 'ybr' },
  'jpeg-lossless': { nothing: 'label', rgb: 'label', ybr: 'label', 'own-transform': 'label' },
  'jpeg-ls': { nothing: 'label', rgb: 'label', ybr: 'label', 'own-transform': 'label' },
  'jpeg-2000': { nothing: 'label', rgb: 'rgb', ybr: 'ybr', 'own-transform': 'rgb' },
};

/** What labels mean. YBR_ICT and YBR_RCT name the transform of JPEG 2000; once unpacked by anybody, colours are RGB. */
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

/** Whether a decoder hands over RGB or colours to convert. Of pictures with one sample a pixel it means nothing. */
export function comesAs(coding: Coding, stated: StatedColour, label: Photometric): 'rgb' | 'ybr' {
  const outcome = BY_STREAM[coding][stated];
  if (outcome !== 'label') return outcome;
  // A label of JPEG 2000 on a JPEG says no more than that there were colour differences, which is JPEG's own custom.
  if (coding === 'jpeg') return label === 'RGB' ? 'rgb' : 'ybr';
  return BY_LABEL[label] === 'ybr' ? 'ybr' : 'rgb';
}

/** Full-range luminance and colour differences, as in JPEG (DICOM PS3.3, C.7.6.3.1.2), made RGB. */
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
