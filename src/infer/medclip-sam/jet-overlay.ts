import type { RasterImage } from '../../imaging/index.js';

/**
 * What the published script takes for saliency: it saves its map as a JET-coloured picture added to the image, and reads the grey
 * levels of that. Grey levels of JET rise and fall again, so that the most salient places come out darker than less salient ones.
 *
 * @param map - [height * width] f32 in [0, 1], on the image's grid.
 * @returns [height * width] f32 in [0, 1].
 * @see MedCLIP-SAM, `saliency_maps/tools/drawing.py`: `show_cam_on_image`
 */
export function greyOfJetOverlay({ data }: RasterImage, map: Float32Array): Float32Array {
  const sums = new Float32Array(data.length);
  let largest = 0;
  for (const [pixel, value] of map.entries())
    for (const [channel, colour] of jet(Math.trunc(255 * value)).entries()) {
      const sum = (colour + (data[3 * pixel + channel] as number)) / 255;
      sums[3 * pixel + channel] = sum;
      largest = Math.max(largest, sum);
    }
  const level = (at: number) => Math.trunc((255 * (sums[at] as number)) / largest);
  return map.map((_, pixel) => {
    const [red, green, blue] = [level(3 * pixel), level(3 * pixel + 1), level(3 * pixel + 2)] as const;
    return Math.round(0.299 * red + 0.587 * green + 0.114 * blue) / 255;
  });
}

/** OpenCV's JET colours of the levels from 0 to 255, in red, green and blue; one blue of one level differs by 1. */
function jet(level: number): readonly [number, number, number] {
  const ramp = (rising: number, falling: number) => Math.max(0, Math.min(255, 4 * level + rising, falling - 4 * level));
  return [ramp(-382, 1148), ramp(-128, 892), ramp(128, 638)];
}
