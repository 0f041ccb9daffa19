// Volumes are read where all images are, so that train, infer, eval and import take the same files.
export { NiftiVolume, openNifti, type SliceAddress, type VolumeRange, type VolumeSlice } from '../../imaging/index.js';
