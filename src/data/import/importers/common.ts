/** Pattern of the end of an image's file name. */
export const IMAGE_NAME = String.raw`\.(?:png|jpe?g|bmp|tiff?)$`;

/** Pattern of a path below any folders, ignoring case. */
export function path(pattern: string): RegExp {
  return new RegExp(`(?:^|/)${pattern}`, 'iu');
}

/** Pattern of the path of an image. */
export function imageFile(pattern: string): RegExp {
  return path(`${pattern}${IMAGE_NAME}`);
}
