// Volumes are read by the common image reader, so that train, infer, eval and import accept the same files.
export { NiftiVolume, openNifti, type SliceAddress, type VolumeRange, type VolumeSlice } from '../../imaging/index.js';
