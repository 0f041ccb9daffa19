import type { Calibration } from '../calibration.js';
import { calibrated, type RasterImage } from '../raster-image.js';
import type { NiftiVolume, SliceAddress } from './nifti-volume.js';

/** Decodes a slice, with the calibration that the volume's header gives. */
export function calibratedSlice(volume: NiftiVolume, address: SliceAddress): RasterImage {
  const { axis = 2 } = address;
  const [across, down] = [0, 1, 2].filter((other) => other !== axis) as [0 | 1 | 2, 0 | 1 | 2];
  return calibrated(volume.image(address), niftiCalibration(volume, across, down));
}

/**
 * Voxel size along two axes. Without a unit, millimetres are meant, as in ITK and SimpleITK; but voxels of 1 x 1 x 1 without a unit
 * are what writers put there that know no size.
 */
function niftiCalibration({ header }: NiftiVolume, across: 0 | 1 | 2, down: 0 | 1 | 2): Calibration {
  const { spacingMm, lengthUnitStated } = header;
  const pair = [spacingMm[across], spacingMm[down]] as const;
  if (!pair.every((value) => value > 0)) return { kind: 'none', reason: 'the NIfTI header gives no size of a voxel' };
  if (lengthUnitStated) return { kind: 'image', spacingMm: pair, source: 'NIfTI pixdim' };
  if (spacingMm.every((value) => value === 1))
    return { kind: 'none', reason: 'the NIfTI header says voxels of 1 x 1 x 1 without a unit, which is a placeholder' };
  return { kind: 'image', spacingMm: pair, source: 'NIfTI pixdim without a unit, taken as millimetres' };
}
