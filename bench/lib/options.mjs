/** The options of run.mjs. */
import { parseArgs } from 'node:util';
import { choosePeers } from './peers.mjs';
import { METHODS, WORKS, workOf } from './works.mjs';

const NAMES = Object.keys(WORKS).join(', ');
const METHOD_NAMES = Object.keys(METHODS).join(', ');

export const USAGE = `npm run bench -- [options]

Measures speed and memory, against eager PyTorch if the reference environment is installed (.venv-reference, or the Python that
SONOGROUND_REFERENCE_PYTHON names), and adds the results to bench/ledger.jsonl and the tables of bench/LEDGER.md.

  --only     works, separated by commas: ${NAMES}. Default: all
  --methods  the methods of the comparison instead, against the code of their authors, as far as it is there (bench/method.py);
             or by name with --only: ${METHOD_NAMES}
  --memory   instead of times, the memory of our side over so many images
  --peers    also against compiled runtimes and half precision, as far as they are installed
  --peer     only the peers whose name contains one of these words, separated by commas. Implies --peers
  --runs     measured passes of each side. Default: 5
  --side     image side in pixels. Default: 800
  --batch    images in one pass. Default: 1
  --boxes    boxes in one pass of the decoder. Default: 1
  --scaling  measures growing sizes, without other sides
  --alone    without other sides
  --dry-run  prints the results without adding them to the ledger
  --backend  auto, tensorflow, webgpu, wasm or cpu. Default: auto
  --model    tiny or nano. Default: tiny

Examples:
  npm run bench -- --only encoder,decoder
  npm run bench -- --only encoder --peers
  npm run bench -- --only detector --peer "onnx runtime,openvino" --runs 3
  npm run bench -- --scaling --runs 3
  npm run bench -- --alone --backend webgpu
  npm run bench -- --methods --runs 3
  npm run bench -- --methods --memory 50`;

/**
 * The options in `argv`; `{ help: true }` if they ask for the usage.
 *
 * @throws Error for an option that does not exist or has no such value.
 */
export function readOptions(argv) {
  const text = (value) => ({ type: 'string', default: value });
  const flag = { type: 'boolean', default: false };
  const { values } = parse(argv, {
    only: { type: 'string' },
    methods: flag,
    memory: { type: 'string' },
    peers: flag,
    peer: text(''),
    runs: text('5'),
    side: text('800'),
    batch: text('1'),
    boxes: text('1'),
    backend: text('auto'),
    model: text('tiny'),
    scaling: flag,
    alone: flag,
    'dry-run': flag,
    help: { ...flag, short: 'h' },
  });
  if (values.help) return { help: true };
  const list = (words) => words.split(',').map((word) => word.trim()).filter(Boolean); // biome-ignore format: short
  const named = list(values.only ?? '');
  const only = named.length > 0 ? named : Object.keys(values.methods ? METHODS : WORKS);
  const unknown = only.find((work) => workOf(work) === undefined);
  if (unknown !== undefined) throw new Error(`no work is called "${unknown}". Choose from ${NAMES}, ${METHOD_NAMES}`);
  if (values.only !== undefined && named.length === 0) throw new Error(`--only: expected one or several of ${NAMES}`);
  const count = (name) => {
    const number = Number(values[name]);
    if (Number.isInteger(number) && number > 0) return number;
    throw new Error(`--${name}: expected an integer above 0, got ${values[name]}`);
  };
  const sizes = { side: count('side'), batch: count('batch'), boxes: count('boxes') };
  if (!['tiny', 'nano'].includes(values.model)) throw new Error(`--model: expected tiny or nano, got ${values.model}`);
  if (values.model === 'nano') sizes.model = 'nano';
  const wanted = list(values.peer);
  const peers = values.peers || wanted.length > 0;
  const alone = values.alone || values.scaling;
  if (peers && alone) throw new Error(`--peers: cannot be combined with --${values.alone ? 'alone' : 'scaling'}`);
  const method = only.find((work) => Object.hasOwn(METHODS, work));
  for (const other of ['peers', 'scaling'])
    if (method !== undefined && (other === 'peers' ? peers : values.scaling))
      throw new Error(`--${other}: cannot be combined with ${method}, which has one size and the code of its authors`);
  if (sizes.batch > 1 && !alone && only.some((work) => work !== 'train-step'))
    throw new Error('--batch: other sides run one image in a pass. Add --alone, or --only train-step');
  return {
    only,
    runs: count('runs'),
    sizes,
    backend: values.backend,
    scaling: values.scaling,
    alone,
    memory: values.memory === undefined ? undefined : count('memory'),
    ledger: !values['dry-run'],
    peers: peers ? choosePeers(wanted) : [],
  };
}

function parse(args, options) {
  try {
    return parseArgs({ args, options });
  } catch (error) {
    throw new Error(`${error.message.split('. ')[0]}\n\n${USAGE}`);
  }
}
