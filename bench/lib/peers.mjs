/** The runtimes that a user could take in place of this one, as far as they are installed. They run the reference's model. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/lib/places.mjs';
import { startSide } from './sides.mjs';
import { SCRIPTS } from './works.mjs';

/** npm packages of peers, outside package.json. */
const NODE_PEERS = '.bench-peers';
const TRANSFORMERS = '@huggingface/transformers';
const TRANSFORMERS_VERSION = '4.3.2';

const MODELS = ['detector', 'masker'];

/** PyTorch itself, run differently: the reference's script with another variant. */
const torch = (variant, precision) => ({
  name: variant.startsWith('compile') ? 'torch.compile' : 'PyTorch, autocast',
  precision,
  needs: [],
  kinds: [...MODELS, 'train-step'],
  command: (kind, sizes, folder, python) => {
    const [script, args] = SCRIPTS[kind](sizes, folder);
    return [python, [join(root, 'bench', script), ...args, variant]];
  },
});

/** A runtime of Python that reads an exported model. */
const exported = (name, script, module, precision, { kinds = MODELS, variant = 'plain' } = {}) => ({
  name,
  precision,
  needs: ['onnx', module],
  kinds,
  exported: true,
  command: (kind, { threads }, folder, python) => [
    python,
    [join(root, 'bench', 'peers', script), kind, String(threads), folder, precision, variant],
  ],
});

const transformersJs = (kinds, name, variant) => ({
  name,
  precision: 'float32',
  needs: ['onnx', TRANSFORMERS],
  kinds,
  exported: true,
  command: (kind, { threads }, folder) => [
    process.execPath,
    [join(root, 'bench', 'peers', 'transformers-js.mjs'), kind, String(threads), folder, transformersFolder(), variant],
  ],
});

const onnxRuntime = (name, options) => exported(name, 'onnx_runtime.py', 'onnxruntime', 'float32', options);
const openVino = (precision) => exported('OpenVINO', 'open_vino.py', 'openvino', precision);
const GATHERS = { kinds: ['detector'], variant: 'gather' };

/** Every peer, in the order of the tables. */
export const PEERS = [
  torch('bfloat16', 'bfloat16'),
  torch('compile', 'float32'),
  torch('compile-bfloat16', 'bfloat16'),
  onnxRuntime('ONNX Runtime'),
  onnxRuntime('ONNX Runtime, gathers', GATHERS),
  openVino('float32'),
  openVino('bfloat16'),
  transformersJs(MODELS, 'transformers.js', 'plain'),
  transformersJs(['detector'], 'transformers.js, gathers', 'gather'),
];

function transformersFolder() {
  return join(root, NODE_PEERS, 'node_modules', '@huggingface', 'transformers');
}

/** The modules that the Python does not have, of those that peers need. */
function missingModules(python) {
  const modules = [...new Set(PEERS.flatMap(({ needs }) => needs))];
  const program = 'import importlib.util as u, json, sys; print(json.dumps([m for m in sys.argv[1:] if u.find_spec(m) is None]))';
  const asked = modules.filter((name) => name !== TRANSFORMERS);
  const { stdout, status } = spawnSync(python, ['-c', program, ...asked], { encoding: 'utf8' });
  const missing = status === 0 ? JSON.parse(stdout) : asked;
  return existsSync(join(transformersFolder(), 'package.json')) ? missing : [...missing, TRANSFORMERS];
}

/** Divides peers into those that can start and a line for each of the others: its name and the command that installs it. */
export function dividePeers(peers, missing, python) {
  const lines = new Set();
  const ready = peers.filter(({ name, needs }) => {
    const absent = needs.filter((need) => missing.includes(need));
    if (absent.length === 0) return true;
    const pip = absent.some((need) => need !== TRANSFORMERS) ? [`${python} -m pip install -r tools/requirements-peers.txt`] : [];
    const npm = absent.includes(TRANSFORMERS)
      ? [`mkdir -p ${NODE_PEERS} && npm install --prefix ${NODE_PEERS} --ignore-scripts ${TRANSFORMERS}@${TRANSFORMERS_VERSION}`]
      : [];
    lines.add(`${name.split(',')[0]} is not installed: ${[...pip, ...npm].join(' && ')}`);
    return false;
  });
  return { ready, lines: [...lines] };
}

/** Those of the peers that are installed. Prints a line for every other one. */
export function installedPeers(chosen, python) {
  const { ready, lines } = dividePeers(chosen, missingModules(python), python);
  for (const line of lines) console.log(line);
  return ready;
}

/**
 * The peers whose name or precision contains one of `wanted`; all, if that is empty.
 *
 * @throws Error for a word that none contains.
 */
export function choosePeers(wanted) {
  const has = ({ name, precision }, word) => `${name}, ${precision}`.toLowerCase().includes(word.toLowerCase());
  const unknown = wanted.find((word) => !PEERS.some((peer) => has(peer, word)));
  if (unknown !== undefined) {
    const names = [...new Set(PEERS.map(({ name }) => name.split(',')[0]))];
    throw new Error(`no peer is called "${unknown}". Choose from ${names.join(', ')}`);
  }
  return wanted.length === 0 ? PEERS : PEERS.filter((peer) => wanted.some((word) => has(peer, word)));
}

/** Exports the model of the folder for peers that read ONNX. Resolves to the reason why not, or undefined. */
export async function exportModel(kind, { boxes }, folder, python) {
  const script = join(root, 'bench', 'peers', 'export_onnx.py');
  const side = await startSide(python, [script, kind, String(boxes), folder]);
  await side.end();
  return side.refused === undefined ? undefined : `no ONNX model: ${side.refused}`;
}

export function startPeer(peer, kind, sizes, folder, python) {
  return startSide(...peer.command(kind, sizes, folder, python));
}
