/** Images and masks without tensors: file formats, masks, RLE, contours, overlays. */

export { openClipBytes } from '#platform/imaging/clips/open-clip-bytes';
export { openImages } from '#platform/imaging/open-images';
export { encodePng, maskToPng } from '#platform/imaging/png';
export { volumePlace } from '#platform/imaging/volume-place';
export { blankOutside, keptPixels } from './burnt-in/blank.js';
export { findText, type TextBox } from './burnt-in/find-text.js';
export { looseMarks } from './burnt-in/loose-marks.js';
export { brightness, darkest } from './burnt-in/plane.js';
export { findScanRegion, type ScanArea } from './burnt-in/scan-region.js';
export {
  type Calibration,
  type ScanRegion,
  type SpacingMm,
  sameSpacing,
  scaleAt,
} from './calibration.js';
export type { Clip } from './clip.js';
export { hasFfmpeg, holdsClip, isImageName, type OpenedClip, openClip, openFrames, writeMp4, writeWebp } from './clips/index.js';
export { connectedComponents, labelComponents } from './components.js';
export { type Contour, findContours, maskToPolygons, type Ring } from './contours.js';
export { imageStem, isDicomName, lacksEnding, splitAddress } from './formats/address.js';
export { beginsAsDicom, DICOM_START, isDicomDirectory } from './formats/dicom/begins.js';
export { DicomFile } from './formats/dicom/dicom-file.js';
export type { DicomHeader } from './formats/dicom/dicom-header.js';
export { DicomSegmentation } from './formats/dicom/dicom-segmentation.js';
export {
  type DicomSource,
  instanceIn,
  openDicomSource,
  parseDicomElements,
  type StoredFrame,
} from './formats/dicom/dicom-source.js';
export { EXPLICIT, packingOf } from './formats/dicom/transfer-syntax.js';
export { openImageFile, readImageFile } from './formats/image-file.js';
export { checkSegmentationSize, instanceOf, openKeptSegmentation } from './formats/kept-segmentation.js';
export { openNifti, readNiftiHeader } from './formats/nifti.js';
export { calibratedSlice } from './formats/nifti-calibration.js';
export type { NiftiHeader } from './formats/nifti-header.js';
export { type GridTurn, turnOver } from './formats/nifti-turn.js';
export { NiftiVolume } from './formats/nifti-volume.js';
export { isUnnamedDicom, listImages } from './formats/several.js';
export { decodeImage } from './image.js';
export type { ImageSet } from './image-set.js';
export {
  type BinaryMask,
  type BoxXyxy,
  boxOfMask,
  fitMask,
  type GreyMap,
  greyOfMask,
  maskArea,
  maskToBooleans,
  notLost,
  resizeGreyMask,
  resizeMask,
  type Size,
} from './mask.js';
export { decodeGreyMask, decodeMask, decodeMaskLevels, volumeGreyMask, volumeLevels } from './mask-file.js';
export type { LevelMap } from './mask-levels.js';
export { type MaskLogits, maskLogitsToBinary, paddedMaskLogitsToBinary } from './mask-logits.js';
export { encodeNrrd, type LabelVolume, type VolumePlace } from './nrrd.js';
export { drawOverlay, type OverlayItem } from './overlay.js';
export { phraseColour, type Rgb } from './palette.js';
export { polygonsToMask } from './polygons.js';
export { calibrated, type RasterImage } from './raster-image.js';
export { resizeImage } from './resample.js';
export { type CocoRle, decodeRle, encodeRle, maskOfRuns, maskToRle, runsOf } from './rle.js';
export { fitText, LINE_HEIGHT, lettersLacking, paintText, renderText, wrapText } from './text-line.js';
export { unionOfMasks } from './union-of-masks.js';
