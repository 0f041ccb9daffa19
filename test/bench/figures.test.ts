import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';

// The benches are plain JavaScript without types.
const lib = (name: string) => import(pathToFileURL(resolve('bench', 'lib', `${name}.mjs`)).href);
const { median, quantile, quartiles, ratiosOf, summaryOf } = await lib('statistics');
const { instructionsIn, othersClock } = await lib('processor');
const { differencesOf, disagreement, shapeMismatch } = await lib('agreement');
const { peerName, processorOf, withTables } = await lib('tables');
const { reportOf } = await lib('report');

const MARK = '<!-- made by `node bench/ledger.mjs` from ledger.jsonl: -->';
const LEDGER = Array(3).fill(`${MARK}\n\nold\n\n<!-- end -->`).join('\nbetween\n');

const pass = (seconds: number, cpuSeconds = 2 * seconds, peakMb = 100) => ({ seconds, cpuSeconds, peakMb });

const OLD = {
  date: '2026-01-02',
  commit: 'abc1234',
  machine: 'Intel(R) Xeon(R) Processor',
  device: 'cpu',
  threads: 2,
  work: 'encoder',
  sizes: { side: 800 },
  runs: 3,
  ours: { seconds: 1, cpuSeconds: 2, peakMb: 900 },
  reference: { seconds: 2, cpuSeconds: 4, peakMb: 800 },
  ratio: 2,
  cpuRatio: 2,
  gflop: 100,
  rate: 200,
  floor: 0.5,
  stages: {},
};

const PEERS = [
  {
    peer: 'OpenVINO',
    version: '2026.4',
    precision: 'bfloat16',
    seconds: 0.5,
    quartiles: [0.4, 0.6],
    cpuSeconds: 1,
    peakMb: 700,
    ours: 1.25,
    ratio: 0.4,
    ratioQuartiles: [0.35, 0.45],
    cpuRatio: 0.41,
    difference: { typical: 0.012, largest: 0.2 },
  },
  { peer: 'ONNX Runtime, gathers', precision: 'float32', refused: 'NOT_IMPLEMENTED: GridSample(20)\n a|b' },
];

const NEW = {
  ...OLD,
  date: '2026-11-29',
  machine: 'AMD EPYC',
  instructions: 'AVX-512 with bfloat16',
  load: 0.12,
  others: 0.4,
  reference: { ...OLD.reference, version: '2.13.0', quartiles: [1.9, 2.1] },
  ratioQuartiles: [1.8, 2.2],
  difference: { typical: 1e-6, largest: 1e-5 },
  peers: PEERS,
};

describe('statistics', () => {
  it('interpolates quantiles between neighbours, whatever the order', () => {
    expect(median([9, 1, 4])).toBe(4);
    expect(median([4, 1, 2, 9])).toBe(3);
    expect(quartiles([5, 1, 2, 3, 4])).toEqual([2, 4]);
    expect(quantile([10, 20], 0.25)).toBe(12.5);
    expect(median([7])).toBe(7);
  });

  it('takes ratios of neighbouring passes, not of medians', () => {
    const { ratio, ratioQuartiles, cpuRatio } = ratiosOf([pass(1), pass(2), pass(10)], [pass(3), pass(4), pass(10)]);
    expect([ratio, cpuRatio]).toEqual([2, 2]); // 4 / 2 of the medians would be 2 as well, the quartiles would not
    expect(ratioQuartiles).toEqual([1.5, 2.5]);
    expect(ratiosOf([pass(1), pass(4), pass(5)], [pass(5), pass(4), pass(1)]).ratio).toBe(1);
  });

  it('keeps the largest memory of any pass', () => {
    const summary = summaryOf([pass(1, 2, 300), pass(3, 2, 500), pass(2, 2, 400)]);
    expect(summary).toEqual({ seconds: 2, quartiles: [1.5, 2.5], cpuSeconds: 2, peakMb: 500 });
    expect(
      summaryOf([
        { ...pass(1), gpuMb: 7 },
        { ...pass(1), gpuMb: 5 },
      ]).gpuMb,
    ).toBe(7);
  });
});

describe('the processor', () => {
  it('is named by its best instructions', () => {
    const flags = (...names: string[]) => `processor : 0\nflags\t\t: fpu ${names.join(' ')} sse\nbugs :\n`;
    expect(instructionsIn(flags('avx2', 'avx512f', 'avx512_bf16', 'amx_bf16'))).toBe('AMX');
    expect(instructionsIn(flags('avx2', 'avx512_bf16', 'avx512f'))).toBe('AVX-512 with bfloat16');
    expect(instructionsIn(flags('avx512f'))).toBe('AVX-512');
    expect(instructionsIn(flags('avx2'))).toBe('AVX2');
    expect(instructionsIn('Features : asimd\n')).toBeUndefined();
  });

  it('counts the processors that other programs keep busy, without those of the pass', async () => {
    const busy = [10, 16, 20, 21];
    const clock = othersClock(() => busy.shift());
    await clock.during(async () => pass(2, 3)); // 6 s busy, 3 of them its own
    await clock.during(async () => pass(2, 2)); // 1 s busy: clocks are coarse
    expect(clock.mean()).toBe(0.5);
    expect(othersClock(() => 0).mean()).toBe(0);
    await expect(othersClock(() => 0).during(async () => ({ refused: 'no' }))).resolves.toEqual({ refused: 'no' });
  });
});

describe('agreement with the reference', () => {
  const outputs = (arrays: Record<string, readonly [readonly number[], number[]]>) =>
    new Map(Object.entries(arrays).map(([name, [shape, values]]) => [name, { shape, data: Float32Array.from(values) }]));
  const plain = (...values: number[]) => outputs({ a: [[values.length], values], b: [[1], [5]] });
  const queries = (rows: [scores: number[], box: number[]][]) =>
    outputs({
      logits: [[1, rows.length, 3], rows.flatMap(([scores]) => [...scores, Number.NEGATIVE_INFINITY])],
      pred_boxes: [[1, rows.length, 4], rows.flatMap(([, box]) => box)],
    });

  it('is relative to the root mean square, and takes the worst output', () => {
    const { largest, typical } = differencesOf(plain(7, 1, 5, 5), plain(7, 1, 5, 6));
    expect([largest, typical]).toEqual([0.2, 0.1]);
  });

  it('accepts the lowest float32 for minus infinity, and nothing else for a NaN', () => {
    expect(differencesOf(plain(1, Number.NEGATIVE_INFINITY), plain(1, -3.4e38))).toEqual({ largest: 0, typical: 0 });
    expect(differencesOf(plain(1, Number.NEGATIVE_INFINITY), plain(1, -9)).typical).toBe(Number.POSITIVE_INFINITY);
    expect(differencesOf(plain(1, 2), plain(1, Number.NaN)).typical).toBe(Number.POSITIVE_INFINITY);
  });

  const A: [number[], number[]] = [[2, -1], [0.2, 0.3, 0.1, 0.1]]; // biome-ignore format: short
  const B: [number[], number[]] = [[-3, 1], [0.6, 0.5, 0.2, 0.3]]; // biome-ignore format: short
  const C: [number[], number[]] = [[0, 0], [0.9, 0.9, 0.1, 0.2]]; // biome-ignore format: short

  it('does not depend on the order of queries', () => {
    expect(differencesOf(queries([A, B, C]), queries([C, A, B]))).toEqual({ largest: 0, typical: 0 });
  });

  it('shows one query that was chosen differently in the largest difference alone', () => {
    const { largest, typical } = differencesOf(queries([A, B, C]), queries([A, B, B]));
    expect(largest).toBeGreaterThan(0.1);
    expect(typical).toBe(0);
  });

  it('shows boxes that are all elsewhere', () => {
    const moved = [A, B, C].map(([scores, box]): [number[], number[]] => [scores, box.map((x) => x + 0.05)]);
    const difference = differencesOf(queries([A, B, C]), queries(moved));
    expect(disagreement(difference, 'float32', 'detector')).toMatch(
      /^computes something else: typical difference 0\.\d+, largest/,
    );
  });

  it('allows half precision more, and no precision another shape', () => {
    expect(disagreement({ typical: 0.1, largest: 0.5 }, 'bfloat16', 'encoder')).toBeUndefined();
    expect(disagreement({ typical: 0.1, largest: 0.5 }, 'float32', 'encoder')).toContain('allowed 0.01');
    expect(disagreement({ typical: Number.NaN, largest: 0 }, 'float32', 'encoder')).toContain('something else');
    expect(shapeMismatch(plain(1, 2), plain(1))).toBe('a: expected the shape 2, got 1');
    expect(shapeMismatch(plain(1), new Map())).toBe('a: expected the shape 1, got no output');
    expect(shapeMismatch(plain(1, 2), plain(3, 4))).toBeUndefined();
  });
});

describe('the tables of the ledger', () => {
  const tables = (lines: readonly object[]) => withTables(LEDGER, lines).split(MARK).slice(1) as string[];

  it('have the processor, and its instructions where a line records them', () => {
    expect(processorOf(OLD)).toBe('Intel Xeon');
    expect(processorOf(NEW)).toBe('AMD EPYC, AVX-512 with bfloat16');
  });

  it('have the version after the name of the runtime', () => {
    expect(peerName({ peer: 'ONNX Runtime, gathers', version: '1.32.0' })).toBe('ONNX Runtime 1.32.0, gathers');
    expect(peerName({ peer: 'ONNX Runtime, gathers' })).toBe('ONNX Runtime, gathers');
  });

  it('read lines from before there were peers', () => {
    const [reference, peers, growth] = tables([OLD, { ...OLD, reference: undefined, ratio: undefined, cpuRatio: undefined }]);
    expect(reference).toMatch(/\| 2026-01-02 \| abc1234 \| Intel Xeon +\| encoder, side 800 \| 2 +\| 1\.00 +\| 2\.00 /);
    expect(peers?.split('\n').filter((line) => line.startsWith('|'))).toHaveLength(2); // head and rule
    expect(growth).toContain('| Intel Xeon | encoder, side 800 |');
  });

  it('have a row for each peer, with its precision, or the reason why it has no figures', () => {
    const rows = tables([OLD, NEW])[1]?.split('\n').filter((line) => line.includes('2026-11-29')) ?? []; // biome-ignore format: short
    expect(rows.map((row) => row.split(/(?<!\\)\|/).map((text) => text.trim()).slice(3, -1))).toEqual([
      ['AMD EPYC, AVX-512 with bfloat16', 'encoder, side 800', '2', 'OpenVINO 2026.4', 'bfloat16', '1.250', '0.500', '0.40', '0.35 to 0.45', '0.41', '700', '1e-2', '0.1'],
      ['AMD EPYC, AVX-512 with bfloat16', 'encoder, side 800', '2', 'ONNX Runtime, gathers', 'float32', '', '', '', '', '', '', 'NOT_IMPLEMENTED: GridSample(20) a\\|b', '0.1'],
    ]); // biome-ignore format: a row a line
  });

  it('keep the text around them, and refuse a file without their marks', () => {
    const text = withTables(`before\n${LEDGER}\nafter`, [NEW]);
    expect(text.startsWith('before\n')).toBe(true);
    expect(text.endsWith('<!-- end -->\nafter')).toBe(true);
    expect(text.split('between')).toHaveLength(3);
    expect(text).not.toContain('old');
    expect(withTables(text, [NEW])).toBe(text);
    expect(() => withTables('nothing', [NEW])).toThrow('expected 3 tables');
  });

  it('are those of the recorded lines', async () => {
    const [ledger, lines] = await Promise.all(['LEDGER.md', 'ledger.jsonl'].map((name) => readFile(`bench/${name}`, 'utf8')));
    const records = (lines as string).trim().split('\n').map((line) => JSON.parse(line)); // biome-ignore format: short
    expect(records.length).toBeGreaterThan(30);
    expect(withTables(ledger, records)).toBe(ledger);
  });
});

describe('the report', () => {
  it('prints figures with spread, difference and load, and reasons in their place', () => {
    const lines = reportOf('encoder', NEW) as string[];
    expect(lines).toContain('  ONNX Runtime, gathers, float32: NOT_IMPLEMENTED: GridSample(20)\n a|b');
    expect(lines.find((line) => line.includes('OpenVINO'))).toBe(
      '  OpenVINO 2026.4, bfloat16              0.500 s (0.400 to 0.600), processor time 1.000 s, peak memory 700 MB',
    );
    expect(lines).toContain(
      '    ours 1.250 s, 0.40 times as fast (quartiles 0.35 to 0.45), by processor time 0.41 times; outputs differ by 1e-2, at most 2e-1',
    );
    expect(lines.at(-1)).toBe('  other programs kept 0.4 processors busy meanwhile');
    expect((reportOf('encoder', { ...NEW, others: 0 }) as string[]).at(-1)).not.toContain('other programs');
    expect(lines.join('\n')).not.toContain('operation by operation');
  });

  it('has the time of single operations beside that of graphs', () => {
    const eager = {
      seconds: 2,
      quartiles: [2, 3],
      cpuSeconds: 3,
      peakMb: 900,
      ratio: 2,
      ratioQuartiles: [1.9, 2.1],
      cpuRatio: 1.5,
    };
    const lines = reportOf('encoder', {
      ...NEW,
      stages: { image: 1 },
      eager: { ...eager, stages: { neck: 0.5, backbone: 1.5 } },
    });
    expect(lines).toContain(
      '  ours, operation by operation           2.000 s (2.000 to 3.000), processor time 3.000 s, peak memory 900 MB',
    );
    expect(lines).toContain('    2.00 times as fast (quartiles 1.90 to 2.10), by processor time 1.50 times');
    expect(lines).toContain('  by stage: image 1.0 s');
    expect(lines).toContain('  operation by operation, by stage: backbone 1.5 s, neck 0.50 s');
  });
});
