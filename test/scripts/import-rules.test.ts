import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '../support/temporary-folder.js';

/** A tree with one offence of each kind beside imports that are right. */
const FILES = {
  'src/util/index.ts': "export { a } from './a.js';",
  'src/util/a.ts': 'export const a = 1;',
  'src/backend/index.ts': "import { a } from '../util/index.js';\nexport * as tf from '@tensorflow/tfjs';\nexport const b = a;",
  'src/ops/index.ts': "import { b } from '../backend/index.js';\nexport const c = b;",
  'src/models/swin/index.ts': "import { c } from '../../ops/index.js';\nexport const swin = c;",
  'src/models/swin/block.ts': 'export const block = 1;',
  'src/infer/index.ts': "import { swin } from '../models/swin/index.js';\nexport const i = swin;",
  'src/cli/index.ts': "import { i } from '../infer/index.js';\nexport const x = i;",
  // Offences.
  'src/metrics/up.ts': "import { b } from '../backend/index.js';\nexport const m = b;",
  'src/ops/up.ts': "import { x } from '../cli/index.js';\nexport const u = x;",
  'src/lora/model.ts': "import { swin } from '../models/swin/index.js';\nexport const l = swin;",
  'src/data/model.ts': "import type { swin } from '../models/swin/index.js';\nexport type D = typeof swin;",
  'src/infer/deep.ts': "import { a } from '../util/a.js';\nexport const d = a;",
  'src/models/bert/deep.ts': "import { block } from '../swin/block.js';\nexport const e = block;",
  'src/nn/tensorflow.ts': "import * as tf from '@tensorflow/tfjs';\nexport const t = tf;",
  'src/processing/one.ts': "import { two } from './two.js';\nexport const one = () => two;",
  'src/processing/two.ts': "import { one } from './one.js';\nexport const two = () => one;",
  'src/train/sample-worker.ts': "import { helper } from './helper.js';\nexport const w = helper;",
  'src/train/helper.ts': "import { c } from '../ops/index.js';\nexport const helper = c;",
  'src/eval/jest.ts': "import { it } from '@jest/globals';\nexport const j = it;",
} as const;

let offences: string[];
const dir = temporaryFolder('rules');

interface Report {
  readonly summary: { readonly violations: readonly { readonly from: string; readonly rule: { readonly name: string } }[] };
}

beforeAll(() => {
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), `${text}\n`);
  }
  for (const name of ['.dependency-cruiser.cjs', 'tsconfig.json', 'package.json']) copyFileSync(name, join(dir, name));
  symlinkSync(resolve('node_modules'), join(dir, 'node_modules'));
  const { stdout } = spawnSync(
    process.execPath,
    ['node_modules/dependency-cruiser/bin/dependency-cruise.mjs', 'src', '--config', '.dependency-cruiser.cjs', '-T', 'json'],
    { cwd: dir, encoding: 'utf8' },
  );
  offences = (JSON.parse(stdout) as Report).summary.violations.map(({ from, rule }) => `${from}: ${rule.name}`);
});

describe('import rules', () => {
  it.each([
    ['a layer that may import only util', 'src/metrics/up.ts: metrics-points-down'],
    ['an upward import', 'src/ops/up.ts: ops-points-down'],
    ['lora that imports a model', 'src/lora/model.ts: lora-points-down'],
    ['data that imports a model, if only its type', 'src/data/model.ts: data-points-down'],
    ['a folder not entered through its index', 'src/infer/deep.ts: enter-by-the-index'],
    ['a model not entered through its index', 'src/models/bert/deep.ts: enter-by-the-index'],
    ['TensorFlow.js named outside backend', 'src/nn/tensorflow.ts: only-backend-names-tensorflow'],
    ['a cycle', 'src/processing/one.ts: no-cycles'],
    ['a worker thread that loads TensorFlow.js indirectly', 'src/train/sample-worker.ts: worker-threads-load-no-tensorflow'],
    ['a development dependency in the package', 'src/eval/jest.ts: no-dev-dependencies'],
  ])('finds %s', (_name, offence) => {
    expect(offences).toContain(offence);
  });

  it('finds nothing where the rules are kept', () => {
    const kept = Object.keys(FILES).slice(0, 8);
    expect(offences.filter((offence) => kept.some((path) => offence.startsWith(`${path}:`)))).toEqual([]);
  });
});
