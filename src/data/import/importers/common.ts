/** Endings of pictures, for the patterns of file names. */
export const PICTURE = String.raw`\.(?:png|jpe?g|bmp|tiff?)$`;

/** A pattern of a path: any folders above, any case. */
export function path(pattern: string): RegExp {
  return new RegExp(`(?:^|/)${pattern}`, 'iu');
}

/** A pattern of the path of a picture. */
export function imageFile(pattern: string): RegExp {
  return path(`${pattern}${PICTURE}`);
}
