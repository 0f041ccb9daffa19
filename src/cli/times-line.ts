import type { BatchTimes, ShardTimes } from '../infer/index.js';

/** Where the time of a batch went, as a line of text. */
export function timesLine({ images, seconds, readSeconds, computeSeconds, writeSeconds }: BatchTimes): string {
  const each = (total: number) => `${(total / Math.max(1, images)).toFixed(3)} s`;
  return `${seconds.toFixed(1)} s without loading models; an image: ${each(readSeconds)} reading, ${each(computeSeconds)} computing, ${each(writeSeconds)} writing (at the same time)`;
}

/** The throughput of shards by machine, slowest last. */
export function throughputLines(times: readonly ShardTimes[]): string[] {
  if (times.length === 0) return [];
  const sorted = [...times].sort((a, b) => b.imagesPerSecond - a.imagesPerSecond);
  const images = times.reduce((sum, shard) => sum + shard.images, 0);
  const seconds = times.reduce((sum, shard) => sum + shard.seconds, 0);
  return [
    `throughput of the last runs of ${times.length} shards: ${images} images in ${(seconds / 3600).toFixed(2)} hours of machines, ${(images / seconds).toFixed(2)} images/s each`,
    ...sorted.map(
      (shard) =>
        `  shard ${shard.shard.index}/${shard.shard.count} on ${shard.host}: ${shard.imagesPerSecond.toFixed(2)} images/s; ${timesLine(shard)}`,
    ),
  ];
}
