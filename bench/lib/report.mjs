/** The lines that run.mjs prints of its measurements. */
import { peerName } from './tables.mjs';

/** The lines of one measurement. */
export function reportOf(title, record) {
  const { work, sizes, ours, reference, gflop, rate, floor, stages, threads, runs } = record;
  const shown = Object.entries(sizes).map(([name, value]) => `${name} ${value}`);
  const of = shown.length === 0 ? '' : ` (${shown.join(', ')})`;
  const lines = [`${title}${of}, ${threads} thread(s), ${runs} runs`, sideLine('ours', ours)];
  const onGpu = record.device !== 'cpu';
  if (onGpu) {
    const images = work === 'decoder' ? '' : `, ${(sizes.batch / ours.seconds).toPrecision(3)} images/s`;
    const memory = ours.gpuMb === undefined ? '' : `, ${ours.gpuMb.toFixed(0)} MB of its memory`;
    const first = `first pass ${record.firstSeconds.toFixed(2)} s with compilation`;
    lines.push(`  on ${record.device} with ${record.backend}${images}${memory}; ${first}`);
  }
  if (record.eager) lines.push(sideLine('ours, operation by operation', record.eager), comparisonLine(record.eager));
  if (reference) lines.push(sideLine(`PyTorch ${reference.version}`, reference), comparisonLine(record));
  if (record.ofWhole !== undefined) {
    const share = (100 * record.ofWhole).toFixed(0);
    lines.push(`  ${share} % of a whole pass of ours; ${record.backboneBlocks} blocks of the backbone ran`);
  }
  for (const peer of record.peers ?? []) lines.push(...peerLines(peer));
  lines.push(`  floor ${floor.toFixed(3)} s: ${gflop.toPrecision(3)} GFLOP at ${rate.toPrecision(3)} GFLOP/s`);
  const label = onGpu ? 'by stage, until the GPU has its work' : 'by stage'; // which computes behind it
  lines.push(`  ${label}: ${stagesText(stages)}`);
  if (record.eager) lines.push(`  operation by operation, by stage: ${stagesText(record.eager.stages)}`);
  if (record.others > 0.1) lines.push(`  other programs kept ${record.others.toFixed(1)} processors busy meanwhile`);
  return lines;
}

function stagesText(stages) {
  const parts = Object.entries(stages).sort(([, a], [, b]) => b - a);
  return parts.map(([name, seconds]) => `${name} ${seconds.toPrecision(2)} s`).join(', ');
}

function sideLine(name, { seconds, quartiles, cpuSeconds, peakMb }) {
  const spread = quartiles === undefined ? '' : ` (${quartiles.map((x) => x.toFixed(3)).join(' to ')})`;
  const memory = `peak memory ${peakMb.toFixed(0)} MB`;
  return `  ${name.padEnd(38)} ${seconds.toFixed(3)} s${spread}, processor time ${cpuSeconds.toFixed(3)} s, ${memory}`;
}

function comparisonLine({ ratio, ratioQuartiles, cpuRatio, difference, ours }) {
  const spread = ratioQuartiles.map((x) => x.toFixed(2)).join(' to ');
  const own = typeof ours === 'number' ? `ours ${ours.toFixed(3)} s, ` : '';
  const digits = (x) => x.toExponential(0);
  const differs =
    difference === undefined ? '' : `; outputs differ by ${digits(difference.typical)}, at most ${digits(difference.largest)}`;
  const times = `${ratio.toFixed(2)} times as fast (quartiles ${spread}), by processor time ${cpuRatio.toFixed(2)} times`;
  return `    ${own}${times}${differs}`;
}

function peerLines(peer) {
  const name = `${peerName(peer)}, ${peer.precision}`;
  if (peer.refused !== undefined) return [`  ${name}: ${peer.refused}`];
  return [sideLine(name, peer), comparisonLine(peer)];
}

/** The line of a measurement of memory. */
export function memoryReport(title, images, { early, late, largestMb }) {
  const grown = late.rssMb - early.rssMb;
  const tensors = late.tensors - early.tensors;
  const held = `${late.tensors} tensors of ${(late.bytes / 1e6).toFixed(0)} MB (${tensors < 0 ? '' : '+'}${tensors})`;
  return `${title}: memory after ${images} images ${late.rssMb.toFixed(0)} MB (${grown < 0 ? '' : '+'}${grown.toFixed(0)} since the first ${Math.ceil(images / 10)}), at most ${largestMb.toFixed(0)} MB; ${held}`;
}

/** The sum of detector, encoder and one decoder pass; no line unless all were measured. */
export function pipelineReport(results, boxes) {
  const parts = ['detector', 'encoder', 'decoder'].map((work) => results[work]);
  if (parts.some((part) => part === undefined)) return [];
  const sum = (pick) => parts.reduce((total, part) => total + pick(part), 0);
  const ours = sum((part) => part.ours.seconds);
  const lines = [`whole pipeline, one prompt, ${boxes} box(es): ours ${ours.toFixed(2)} s`];
  if (parts.every((part) => part.reference)) {
    const theirs = sum((part) => part.reference.seconds);
    const work = sum((part) => part.reference.cpuSeconds) / sum((part) => part.ours.cpuSeconds);
    lines.push(
      `  PyTorch ${theirs.toFixed(2)} s: ${(theirs / ours).toFixed(2)} times, by processor time ${work.toFixed(2)} times`,
    );
  }
  return lines;
}
