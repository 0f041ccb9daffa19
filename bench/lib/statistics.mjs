/** Medians, quartiles and ratios of passes that took turns. */

/** The quantile `q`, linear between neighbours. */
export function quantile(numbers, q) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const below = sorted[Math.floor(at)];
  return below + (sorted[Math.ceil(at)] - below) * (at - Math.floor(at));
}

export const median = (numbers) => quantile(numbers, 0.5);

/** The first and third quartile: the spread of repeated passes. */
export const quartiles = (numbers) => [quantile(numbers, 0.25), quantile(numbers, 0.75)];

/** One side's passes: medians, with the quartiles of the seconds, and the largest memory. */
export function summaryOf(passes) {
  const of = (key) => passes.map((pass) => pass[key]);
  return {
    seconds: median(of('seconds')),
    quartiles: quartiles(of('seconds')),
    cpuSeconds: median(of('cpuSeconds')),
    peakMb: Math.max(...of('peakMb')),
    ...(passes.at(-1).gpuMb !== undefined && { gpuMb: Math.max(...of('gpuMb')) }),
  };
}

/** How many times as long they take as we do: the median of the ratios of neighbouring passes, and its quartiles. */
export function ratiosOf(ours, theirs) {
  const of = (key) => ours.map((own, i) => theirs[i][key] / own[key]);
  return { ratio: median(of('seconds')), ratioQuartiles: quartiles(of('seconds')), cpuRatio: median(of('cpuSeconds')) };
}
