import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const lib = (name: string) => import(pathToFileURL(resolve('bench', 'lib', `${name}.mjs`)).href);
const { parseAnswer, startSide } = await lib('sides');
const { choosePeers, dividePeers, PEERS } = await lib('peers');
const { readOptions, USAGE } = await lib('options');
const { againstPeers, takeTurns } = await lib('turns');

/** A side that is a few lines of JavaScript. */
const program = (code: string) => startSide(process.execPath, ['-e', code]);

describe('a side', () => {
  it('answers lines in their order', async () => {
    const side = await program(`console.log('{"version":"1"}');
      require('node:readline').createInterface({ input: process.stdin }).on('line', (l) => console.log(JSON.stringify({ l })));`);
    expect(side.version).toBe('1');
    expect([await side.ask('a'), await side.ask('b')]).toEqual([{ l: 'a' }, { l: 'b' }]);
    await side.end();
  });

  it('that fails before its first line is refused with its last error line', async () => {
    const side = await program(`console.error('no module named x\\n'); process.exit(3)`);
    expect(side.refused).toBe('-e ended with exit code 3: no module named x');
    await side.end();
  });

  it('that ends in the middle is refused, not waited for', async () => {
    const side = await program(`console.log('{}'); process.stdin.once('data', () => process.kill(process.pid, 'SIGKILL'))`);
    expect(await side.ask('run')).toEqual({ refused: '-e ended with signal SIGKILL' });
    expect(await side.ask('run')).toEqual({ refused: '-e ended with signal SIGKILL' });
    await side.end();
  });

  it('that does not exist is refused', async () => {
    const side = await startSide('/no/such/python', ['x.py']);
    expect(side.refused).toContain('ENOENT');
    await side.end();
  });

  it('has answers of JSON alone', () => {
    expect(parseAnswer('{"seconds": 1}')).toEqual({ seconds: 1 });
    for (const line of ['Downloading...', '3', 'null', '[]', ''])
      expect(parseAnswer(line)).toEqual({ refused: `expected a line of JSON, got ${JSON.stringify(line)}` });
  });
});

describe('turns', () => {
  const side = (log: string[], name: string, answers: object[]) => ({
    ask: async (line: string) => {
      log.push(`${name} ${line}`);
      return answers.shift();
    },
  });
  const pass = (seconds: number) => ({ seconds, cpuSeconds: seconds, peakMb: 1 });

  it('alternate, and do not count the first pass of either', async () => {
    const log: string[] = [];
    const ours = side(log, 'ours', [pass(9), pass(1), pass(2)]);
    const theirs = side(log, 'theirs', [pass(8), pass(3), pass(4)]);
    const { passes, first } = await takeTurns([[ours, 'run'], [theirs, 'go']], 2); // biome-ignore format: short
    expect(log).toEqual(['ours run', 'theirs go', 'ours run', 'theirs go', 'ours run', 'theirs go']);
    expect(passes).toEqual([[pass(1), pass(2)], [pass(3), pass(4)]]); // biome-ignore format: short
    expect(first).toEqual([pass(9), pass(8)]);
  });

  it('end with the reason of a side that refuses', async () => {
    await expect(takeTurns([[side([], 'x', [pass(1), { refused: 'out of memory' }]), 'run']], 2)).rejects.toThrow(
      'out of memory',
    );
  });
});

describe('against peers', () => {
  const expected = new Map([['a', { data: Float32Array.of(1, 2), shape: [2] }]]);
  const pass = { seconds: 2, cpuSeconds: 3, peakMb: 50 };
  const first = { version: '9', precision: 'float32' };
  /** A peer whose program answers `save` and passes with these, by the lines it is asked. */
  const peer = (name: string, { start = first, saved = {}, answer = pass }: Record<string, object>) => {
    const code = `console.log(${JSON.stringify(JSON.stringify(start))});
      require('node:readline').createInterface({ input: process.stdin }).on('line', (line) =>
        console.log(line.startsWith('save ') ? ${JSON.stringify(JSON.stringify(saved))} : ${JSON.stringify(JSON.stringify(answer))}));`;
    return { name, precision: 'float32', needs: [], kinds: ['masker'], command: () => [process.execPath, ['-e', code]] };
  };
  const ours = { ask: async () => ({ seconds: 1, cpuSeconds: 1, peakMb: 10 }) };
  const against = (peers: object[], data: Float32Array, side: object = ours) =>
    againstPeers(peers, side, {
      work: 'encoder',
      kind: 'masker',
      sizes: {},
      question: 'encode',
      runs: 2,
      folder: '/none',
      python: '',
      say: () => {},
      expected,
      read: async () => ({ arrays: new Map([['a', { data, shape: [data.length] }]]) }),
    });

  it('every refusal is a row with its reason, and the others are measured', async () => {
    const rows = await against(
      [
        peer('good', {}),
        peer('no model', { start: { refused: 'no kernel of GridSample' } }),
        peer('no pass', { answer: { refused: 'out of memory' } }),
        peer('no outputs', { saved: { refused: 'cannot compile' } }),
      ],
      Float32Array.of(1, 2),
    );
    expect(rows[0]).toMatchObject({ peer: 'good', ...first, ours: 1, seconds: 2, ratio: 2, ratioQuartiles: [2, 2], cpuRatio: 3 });
    expect(rows.map(({ refused }: { refused?: string }) => refused)).toEqual([
      undefined,
      'no kernel of GridSample',
      'out of memory',
      'cannot compile',
    ]);
  });

  it('a peer that computes something else is not timed', async () => {
    for (const [data, reason] of [
      [Float32Array.of(1, 3), 'typical difference 0.45, largest 0.63'],
      [Float32Array.of(1), 'a: expected the shape 2, got 1'],
    ] as const) {
      const [row] = await against([peer('other', {})], data);
      expect(row.refused).toContain(`computes something else: ${reason}`);
      expect(row.seconds).toBeUndefined();
    }
  });

  it('a failure of our own side is not blamed on the peer', async () => {
    const broken = { ask: async () => ({ refused: 'our own fault' }) };
    await expect(against([peer('good', {})], Float32Array.of(1, 2), broken)).rejects.toThrow('our own fault');
  });
});

describe('peers', () => {
  it('that are not installed have one line each, with the command', () => {
    const { ready, lines } = dividePeers(PEERS, ['openvino', '@huggingface/transformers'], '/venv/python');
    expect(lines).toEqual([
      'OpenVINO is not installed: /venv/python -m pip install -r tools/requirements-peers.txt',
      'transformers.js is not installed: mkdir -p .bench-peers && npm install --prefix .bench-peers --ignore-scripts @huggingface/transformers@4.3.2',
    ]);
    const names = new Set(ready.map(({ name }: { name: string }) => name.split(',')[0]));
    expect([...names]).toEqual(['PyTorch', 'torch.compile', 'ONNX Runtime']);
    expect(dividePeers(PEERS, [], 'python')).toEqual({ ready: PEERS, lines: [] });
  });

  it('need both commands where both are missing', () => {
    const { lines } = dividePeers(PEERS, ['onnx', '@huggingface/transformers'], 'python');
    expect(lines).toHaveLength(3);
    expect(lines[2]).toMatch(/^transformers\.js is not installed: python -m pip install .* && mkdir .* && npm install /);
  });

  it('are chosen by a part of the name or by precision', () => {
    const named = (...words: string[]) =>
      choosePeers(words).map((p: { name: string; precision: string }) => `${p.name} ${p.precision}`);
    expect(named('openvino')).toEqual(['OpenVINO float32', 'OpenVINO bfloat16']);
    expect(named('bfloat16')).toEqual(['PyTorch, autocast bfloat16', 'torch.compile bfloat16', 'OpenVINO bfloat16']);
    expect(choosePeers([])).toBe(PEERS);
    expect(() => choosePeers(['tensorrt'])).toThrow(
      'no peer is called "tensorrt". Choose from PyTorch, torch.compile, ONNX Runtime',
    );
  });

  it('run with the threads of our side', () => {
    const sizes = { side: 800, batch: 1, boxes: 1, threads: 7 };
    for (const peer of PEERS) {
      const [, args] = peer.command(peer.kinds[0], sizes, '/folder', 'python');
      expect([peer.name, args.filter((arg: string) => arg === '7')]).toEqual([peer.name, ['7']]);
    }
  });
});

describe('the options', () => {
  it('take peers only when asked for', () => {
    expect(readOptions([])).toMatchObject({
      peers: [],
      runs: 5,
      ledger: true,
      alone: false,
      sizes: { side: 800, batch: 1, boxes: 1 },
    });
    expect(readOptions(['--peers']).peers).toBe(PEERS);
    expect(readOptions(['--peer', 'OpenVINO']).peers).toHaveLength(2);
    expect(readOptions(['--dry-run']).ledger).toBe(false);
    expect(readOptions(['-h'])).toEqual({ help: true });
  });

  it('measure methods of the comparison on request alone, and their memory over so many images', () => {
    expect(readOptions([]).only).not.toContain('universeg');
    expect(readOptions(['--methods']).only).toEqual([
      'universeg',
      'biomedparse',
      'samus',
      'medsam',
      'medclip-samv2',
      'medclip-sam',
    ]);
    expect(readOptions(['--only', 'samus,encoder']).only).toEqual(['samus', 'encoder']);
    expect([readOptions(['--methods']).memory, readOptions(['--methods', '--memory', '50']).memory]).toEqual([undefined, 50]);
  });

  it.each([
    [['--only', 'encoder,constructor'], 'no work is called "constructor"'],
    [['--only', ','], '--only: expected one or several of detector'],
    [['--runs', '0'], '--runs: expected an integer above 0, got 0'],
    [['--side', '1.5'], '--side: expected an integer above 0, got 1.5'],
    [['--model', 'huge'], '--model: expected tiny or nano, got huge'],
    [['--peers', '--scaling'], '--peers: cannot be combined with --scaling'],
    [['--peer', 'tensorrt'], 'no peer is called "tensorrt"'],
    [['--batch', '2'], '--batch: other sides run one image in a pass'],
    [['--methods', '--scaling'], '--scaling: cannot be combined with universeg'],
    [['--methods', '--memory', 'x'], '--memory: expected an integer above 0, got x'],
    [['--bogus'], "Unknown option '--bogus'"],
  ])('%j is refused', (argv, message) => {
    expect(() => readOptions(argv)).toThrow(message);
  });

  it('accept several images alone and in training', () => {
    expect(readOptions(['--batch', '2', '--alone']).sizes.batch).toBe(2);
    expect(readOptions(['--batch', '2', '--only', 'train-step']).sizes.batch).toBe(2);
  });

  it('are all in the usage', () => {
    for (const option of 'only methods memory peers peer runs side batch boxes scaling alone dry-run backend model'.split(' '))
      expect(USAGE).toMatch(new RegExp(`^ {2}--${option} `, 'm'));
  });
});
