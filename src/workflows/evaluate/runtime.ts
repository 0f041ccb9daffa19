import { cpus } from 'node:os';
import type { Sample } from '../../data/index.js';
import type { Table } from '../../eval/index.js';
import { publishedRuntime } from '../../eval/index.js';
import type { RasterImage } from '../../imaging/index.js';
import type { GroundedSegmenter } from '../../infer/index.js';
import { mean, populationStd } from '../../metrics/index.js';
import type { Method } from '../../protocols/index.js';

/** Seconds per run: mean and population standard deviation. */
interface Timing {
  readonly mean: number;
  readonly std: number;
}

export interface Runtimes {
  /** Backend and hardware. */
  readonly device: string;
  readonly image: string;
  readonly runs: number;
  readonly detector: Timing;
  readonly masker: Timing;
  readonly whole: Timing;
  /** Other methods, each from pixels to the mask of one structure. */
  readonly others: readonly {
    readonly name: string;
    readonly given: string;
    readonly timing: Timing;
    readonly runs: number;
  }[];
}

/** Number of timed runs. */
const RUNS = 10;

/** Of a method that takes long, fewer are made: as many as fit into this many seconds, and at least so many. */
const LONGEST_S = 120;
const FEWEST_RUNS = 3;

/** Runs before these: passes of the same shapes are compiled within the first three. */
const WARM_UPS = 4;

/**
 * Times a method on one image, and frees its model, so that no more than one of many is loaded beside ours; undefined for a method
 * that computes nothing.
 */
export async function measureMethod(
  method: Method,
  sample: Sample,
  phrase: string,
): Promise<Runtimes['others'][number] | undefined> {
  if (method.predict === undefined) return undefined;
  const once = async () => {
    const start = performance.now();
    await method.predict?.(sample, [phrase]);
    return (performance.now() - start) / 1000;
  };
  try {
    await timed(once, WARM_UPS, 1);
    const seconds = await timed(once, RUNS, FEWEST_RUNS);
    return { name: method.name, given: method.given ?? 'unknown', timing: timingOf(seconds), runs: seconds.length };
  } finally {
    await method.dispose();
  }
}

/** Seconds of several runs: of `most`, or of fewer that take long, but not of fewer than `fewest`. */
export async function timed(once: () => Promise<number>, most: number, fewest: number): Promise<number[]> {
  const seconds: number[] = [];
  let total = 0;
  while (seconds.length < most && (seconds.length < fewest || total < LONGEST_S)) {
    const taken = await once();
    seconds.push(taken);
    total += taken;
  }
  return seconds;
}

function timingOf(seconds: readonly number[]): Timing {
  return { mean: mean(seconds), std: populationStd(seconds) };
}

/**
 * Times one image with one phrase, from pixels to the mask of the best box. Between runs, only the models and the encoded text
 * are cached.
 *
 * @param backend - name of the backend.
 */
export async function measureRuntimes(
  segmenter: GroundedSegmenter,
  sample: Sample,
  phrase: string,
  backend: string,
): Promise<Omit<Runtimes, 'others'>> {
  const { width, height } = sample.image;
  const times: { detector: number; masker: number }[] = [];
  for (let run = 0; run < WARM_UPS + RUNS; run++) {
    // A new object, since the detector caches by image object.
    const image: RasterImage = { width, height, data: sample.image.data };
    const start = performance.now();
    const [best] = await segmenter.detector.detect(image, [phrase], { threshold: 0, select: 'best-per-phrase' });
    const middle = performance.now();
    await segmenter.masker.setImage(image);
    await segmenter.masker.predictBoxes([best?.boxXyxyPx ?? [0, 0, width, height]]);
    if (run >= WARM_UPS) times.push({ detector: middle - start, masker: performance.now() - middle });
  }
  const timing = (pick: (time: { detector: number; masker: number }) => number) =>
    timingOf(times.map((time) => pick(time) / 1000));
  const all = cpus();
  return {
    device: `${all[0]?.model.trim() ?? 'unknown processor'}, ${all.length} threads, ${backend}`,
    image: `${sample.id}, ${width}x${height}`,
    runs: RUNS,
    detector: timing(({ detector }) => detector),
    masker: timing(({ masker }) => masker),
    whole: timing(({ detector, masker }) => detector + masker),
  };
}

/** The paper's table 6. */
export function runtimeTable(runtimes: Runtimes, models: string): Table {
  const cells = ({ mean: seconds, std }: Timing) => [seconds.toFixed(4), std.toFixed(4)];
  return {
    id: 'table-6',
    title: 'Table 6 of the paper, seconds per image',
    columns: ['what', 'device', 'mean', 'std', 'runs', 'remark'],
    rows: [
      {
        cells: [
          'published, total',
          publishedRuntime.device,
          publishedRuntime.seconds.toFixed(2),
          null,
          10,
          'the paper says 800x800; its code resizes the shorter side to 800',
        ],
      },
      { cells: ['detector', runtimes.device, ...cells(runtimes.detector), runtimes.runs, models] },
      { cells: ['masker', runtimes.device, ...cells(runtimes.masker), runtimes.runs, 'image encoder and one box'] },
      { cells: ['total', runtimes.device, ...cells(runtimes.whole), runtimes.runs, runtimes.image], total: true },
      ...runtimes.others.map(({ name, given, timing, runs }) => ({
        cells: [name, runtimes.device, ...cells(timing), runs, `one image, one structure; given: ${given}`],
      })),
    ],
    notes: [
      `Mean over runs after ${WARM_UPS} warm-ups, of a method that takes long after fewer. From pixels in memory to the mask of the best box on the image’s grid, without reading the file. Figures of different devices and models are not comparable.`,
      'A method that is given our detector’s box, or its centre, includes the detector; an oracle’s box costs nothing, and neither does its point. Masks made by other programs are not timed.',
      'The paper’s runtimes of other methods are not repeated here.',
    ],
  };
}
