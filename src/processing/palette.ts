/** Okabe and Ito's colours, which people with any kind of colour vision can tell apart; those that stand out on grey first. */
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
 * The colour of a phrase: the same in every picture and panel that takes the same list.
 *
 * @param phrases - in the order of their colours. More than there are colours begin again with the first.
 */
export function phraseColour(phrases: readonly string[], phrase: string): Rgb {
  return PALETTE[Math.max(0, phrases.indexOf(phrase)) % PALETTE.length] as Rgb;
}

/** Red, green and blue, in [0, 255]. */
export type Rgb = readonly [number, number, number];
