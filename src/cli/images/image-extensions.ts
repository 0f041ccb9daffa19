/** Extensions of the images that are read. */
export const imageExtensions = ['png', 'jpg', 'jpeg', 'bmp', 'tif', 'tiff', 'webp', 'dcm', 'dicom', 'ima', 'nii', 'nii.gz'];

/** Whether a file is an image by its name. */
export function hasImageExtension(file: string): boolean {
  return imageExtensions.some((extension) => file.toLowerCase().endsWith(`.${extension}`));
}
