/** Okabe and Ito's colours, distinguishable with any kind of colour vision; those that stand out on grey come first. */
export const PALETTE = [
  [230, 159, 0],
  [86, 180, 233],
  [0, 158, 115],
  [240, 228, 66],
  [204, 121, 167],
  [213, 94, 0],
  [0, 114, 178],
] as const satisfies readonly Rgb[];

/**
 * The colour of a phrase, unique in its list and equal in every image and panel with the same list.
 *
 * @param phrases - in the order of their colours: those of {@link PALETTE}, then further, less distinguishable ones.
 */
export function phraseColour(phrases: readonly string[], phrase: string): Rgb {
  const index = Math.max(0, phrases.indexOf(phrase));
  return PALETTE[index] ?? furtherColour(index - PALETTE.length);
}

/** Hues in golden-angle steps: neighbours in the list differ strongly, and none repeats. Every other colour is pale. */
function furtherColour(k: number): Rgb {
  const hue = (270 + k * 137.508) % 360;
  const lightness = k % 2 === 0 ? 0.55 : 0.78;
  const chroma = 0.7 * Math.min(lightness, 1 - lightness);
  // HSL to RGB (CSS Color 4, 7.1).
  const channel = (n: number) => {
    const at = (n + hue / 30) % 12;
    return Math.round(255 * (lightness - chroma * Math.max(-1, Math.min(at - 3, 9 - at, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}

/** Red, green and blue, in [0, 255]. */
export type Rgb = readonly [number, number, number];
