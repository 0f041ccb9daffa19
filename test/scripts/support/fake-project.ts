import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { until } from '../../support/until.js';
import { makeWheel, type ZipEntry } from './zip.js';

/** How the stand-in of a program behaves: as it should, fail, bring a wrong file (the compiler: no native operations), or never end. */
export type Mode = 'good' | 'fail' | 'wrong' | 'hang';
export type Tool = 'npm' | 'python3' | 'g++' | 'nvcc' | 'mpicc';

export const WHEEL = 'tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl';

const LOCK = {
  lockfileVersion: 3,
  packages: {
    '': { name: 'sonoground' },
    'node_modules/@tensorflow/tfjs-node-gpu': { version: '4.22.0', optional: true },
    'node_modules/node-api-headers': { version: '1.9.0' },
    'node_modules/for-another-system': { version: '1.0.0', optional: true },
  },
};

/** What npm, pip and the compiler do here. They write their calls down, and say by a file when they hang. */
const TOOLS: Readonly<Record<Tool, string>> = {
  npm: `
    const lock = JSON.parse(fs.readFileSync('package-lock.json', 'utf8')).packages;
    const binding = 'node_modules/@tensorflow/tfjs-node-gpu';
    fs.rmSync('node_modules', { recursive: true, force: true });
    const put = (path, text) => { fs.mkdirSync(dirname(path), { recursive: true }); fs.writeFileSync(path, text); };
    put(binding + '/package.json', '{}');
    if (mode === 'hang') hang();
    for (const name of ['tfjs_backend', 'tfjs_binding']) put(binding + '/binding/' + name + '.cc', '// ' + name);
    put(binding + '/scripts/install.js', 'console.error("Error: no such host"); process.exit(1)');
    put('node_modules/node-api-headers/package.json', '{}');
    fs.symlinkSync(${JSON.stringify(resolve('node_modules', 'yauzl'))}, 'node_modules/yauzl');
    delete lock[''];
    delete lock['node_modules/for-another-system'];
    put('node_modules/.package-lock.json', JSON.stringify({ packages: lock }));`,
  python3: `
    if (args.includes('--version')) process.exit(0);
    const dest = args[args.indexOf('--dest') + 1];
    const [pinned, hash] = fs.readFileSync(args[args.indexOf('-r') + 1], 'utf8').trim().split(' ');
    if (!args.includes('--require-hashes') || !/^--hash=sha256:[0-9a-f]{64}$/.test(hash)) process.exit(1);
    fs.appendFileSync(home + '/asked', pinned + '\\n');
    const project = pinned.replace(/[=<>].*/, '');
    const found = fs.readdirSync(home + '/index').find((name) => name.startsWith(project.replaceAll('-', '_') + '-'));
    if (found === undefined) { console.error('ERROR: No matching distribution'); process.exit(1); }
    const wheel = fs.readFileSync(home + '/index/' + found);
    if (mode === 'hang') { fs.writeFileSync(dest + '/half', wheel.subarray(0, wheel.length / 2)); hang(); }
    if (mode === 'wrong') wheel[40] ^= 1;
    fs.writeFileSync(dest + '/' + found, wheel);`,
  'g++': `
    if (args.includes('--version')) process.exit(0);
    const out = args[args.indexOf('-o') + 1];
    fs.writeFileSync(out, 'half');
    if (mode === 'hang') hang();
    if (mode === 'wrong' && out.includes('sonoground-ops')) { console.error('a.cc:1:1: error: no such op'); process.exit(1); }
    fs.writeFileSync(out, 'binding');`,
  nvcc: `
    if (args.includes('--version')) process.exit(0);
    if (args.includes('--list-gpu-arch')) { console.log('compute_75\\ncompute_90\\ncompute_103'); process.exit(0); }
    if (mode === 'wrong') { console.error('a.cu(1): error: no such thing'); process.exit(1); }
    fs.writeFileSync(args[args.indexOf('-o') + 1], 'kernels');`,
  mpicc: `
    if (mode === 'wrong') { console.error('addon.c:1:1: error: no such header'); process.exit(1); }
    fs.writeFileSync(args[args.indexOf('-o') + 1], 'addon');`,
};

/** What is not on every machine: {@link FakeMachine.add} puts it there. */
const RARE: readonly Tool[] = ['nvcc', 'mpicc'];

const PRELUDE = (home: string, name: Tool) => `#!${process.execPath}
const fs = require('node:fs'), { dirname } = require('node:path');
const home = ${JSON.stringify(home)}, args = process.argv.slice(2);
const mode = fs.readFileSync(home + '/mode-${name}', 'utf8');
const hang = () => { fs.writeFileSync(home + '/hung', String(process.pid)); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); };
if (!args.includes('--version')) fs.appendFileSync(home + '/calls', '${name} ' + args.join(' ') + '\\n');
if (mode === 'fail' && !args.includes('--version')) { console.error('${name} ERROR: it broke'); process.exit(1); }
`;

export interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly outcome: Promise<Outcome>;
  /** What has been said so far. */
  output(): string;
}

/** A project folder with the real scripts/, and a machine whose npm, pip, compiler and package index are stand-ins. */
export class FakeMachine {
  readonly home = mkdtempSync(join(tmpdir(), 'sonoground-setup-'));
  readonly cache = join(this.home, 'cache', 'sonoground');
  private readonly started: ChildProcess[] = [];
  private pypi = 'http://127.0.0.1:9/pypi';

  constructor() {
    mkdirSync(join(this.home, 'bin'));
    mkdirSync(join(this.home, 'index'));
    for (const name of Object.keys(TOOLS) as Tool[]) if (!RARE.includes(name)) this.add(name);
    this.publish(WHEEL, libraries());
  }

  add(tool: Tool): void {
    const path = join(this.home, 'bin', tool);
    writeFileSync(path, PRELUDE(this.home, tool) + TOOLS[tool]);
    chmodSync(path, 0o755);
    this.set(tool, 'good');
  }

  set(tool: Tool, mode: Mode): void {
    writeFileSync(join(this.home, `mode-${tool}`), mode);
  }

  remove(tool: Tool): void {
    rmSync(join(this.home, 'bin', tool));
  }

  /** Lets a wheel be found by pip. */
  publish(file: string, files: readonly ZipEntry[], metadata = '', spoiled?: string): void {
    writeFileSync(join(this.home, 'index', file), makeWheel(file.split('-').slice(0, 2).join('-'), files, metadata, spoiled));
  }

  wheel(file = WHEEL): Buffer {
    return readFileSync(join(this.home, 'index', file));
  }

  /** Where PyPI is, for projects made from now on. */
  servePypi(url: string): void {
    this.pypi = url;
  }

  /** A new clone. It pins the stand-in wheels that pip can find then. */
  clone(name = 'project'): string {
    const dir = join(this.home, name);
    mkdirSync(dir);
    for (const folder of ['scripts', 'native']) cpSync(folder, join(dir, folder), { recursive: true });
    writeFileSync(join(dir, 'package.json'), JSON.stringify({ name: 'sonoground', type: 'module' }));
    writeFileSync(join(dir, 'package-lock.json'), JSON.stringify(LOCK));
    const source = join(dir, 'scripts', 'lib', 'wheels.mjs');
    const text = readFileSync(source, 'utf8').replace(/PYPI = '[^']*'/, `PYPI = '${this.pypi}'`);
    if (!text.includes(this.pypi)) throw new Error('scripts/lib/wheels.mjs has another form than this expects');
    writeFileSync(source, text);
    const pins = readdirSync(join(this.home, 'index')).map((file) => this.pinOf(file));
    const cpu = pins.filter(({ file }) => file === WHEEL);
    // TensorFlow first.
    const cuda = pins.filter(({ file }) => file !== WHEEL).sort((a, b) => (a.file > b.file ? -1 : 1));
    writeFileSync(join(dir, 'scripts', 'lib', 'wheels.json'), JSON.stringify({ cpu, cuda }));
    return dir;
  }

  private pinOf(file: string) {
    const wheel = this.wheel(file);
    const [project = '', version = ''] = file.split('-');
    const sha256 = createHash('sha256').update(wheel).digest('hex');
    return { project: project.replaceAll('_', '-'), version, file, bytes: wheel.length, sha256 };
  }

  /** What pip was asked for, with the versions. */
  get asked(): string[] {
    const path = join(this.home, 'asked');
    return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
  }

  start(project: string, args: readonly string[] = []): Running {
    return this.spawnNode([join(project, 'scripts', 'bootstrap.mjs'), ...args]);
  }

  /** What every command does before its own work. */
  beforeCommand(project: string): Promise<Outcome> {
    const script = pathToFileURL(join(project, 'scripts', 'bootstrap.mjs')).href;
    return this.spawnNode(['--input-type=module', '-e', `await (await import('${script}')).bootstrap()`]).outcome;
  }

  private spawnNode(args: readonly string[]): Running {
    const child = spawn(process.execPath, args, {
      cwd: tmpdir(),
      env: {
        PATH: join(this.home, 'bin'),
        HOME: this.home,
        XDG_CACHE_HOME: dirname(this.cache),
        TMPDIR: tmpdir(),
        CUDA_HOME: join(this.home, 'cuda'), // not the machine's own
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.started.push(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        output += chunk;
      });
    const outcome = new Promise<Outcome>((resolve) => child.on('close', (code) => resolve({ code, output })));
    return { child, outcome, output: () => output };
  }

  run(project: string, args: readonly string[] = []): Promise<Outcome> {
    return this.start(project, args).outcome;
  }

  /** The calls of a program so far. */
  calls(tool: Tool): string[] {
    const path = join(this.home, 'calls');
    if (!existsSync(path)) return [];
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith(`${tool} `));
  }

  /** Waits until a stand-in hangs; returns its process number. */
  async hung(): Promise<number> {
    const path = join(this.home, 'hung');
    await until(() => existsSync(path) && readFileSync(path, 'utf8') !== '');
    const pid = Number(readFileSync(path, 'utf8'));
    rmSync(path);
    return pid;
  }

  dispose(): void {
    for (const child of this.started) child.kill('SIGKILL');
    rmSync(this.home, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** What the scripts take from a TensorFlow wheel; `size` bytes of library. */
export function libraries(size = 4096): ZipEntry[] {
  return [
    { name: 'tensorflow/libtensorflow_cc.so.2', data: Buffer.alloc(size) },
    { name: 'tensorflow/libtensorflow_framework.so.2', data: Buffer.from('framework'), stored: true },
    { name: 'tensorflow/include/tensorflow/c/c_api.h', data: Buffer.from('// api') },
    { name: 'tensorflow/include/tensorflow/core/public/release_version.h', data: Buffer.from('// version') },
    { name: 'tensorflow/python/not-needed.py', data: Buffer.from('pass') },
  ];
}

/** Whether TensorFlow is in place in a project. */
export function isComplete(project: string): boolean {
  const at = join(project, 'node_modules', '@tensorflow', 'tfjs-node-gpu');
  const binding = join(at, 'lib', 'napi-v8', 'tfjs_binding.node');
  return (
    existsSync(binding) &&
    readFileSync(binding, 'utf8') === 'binding' &&
    existsSync(join(at, 'deps', 'lib', 'libtensorflow.so.2')) &&
    existsSync(join(at, 'deps', 'include', 'tensorflow', 'c', 'c_api.h'))
  );
}

/** The native operations in place in a project, and the note that there are none: names of files. */
export function nativeOpsOf(project: string): string[] {
  const dir = join(project, 'node_modules', '@tensorflow', 'tfjs-node-gpu', 'lib', 'napi-v8');
  return readdirSync(dir).filter((name) => name.startsWith('sonoground-ops-'));
}

/** What was compiled for CUDA, or the note that it was not: names of files. */
export function cudaOpsOf(project: string): string[] {
  const dir = join(project, 'node_modules', '@tensorflow', 'tfjs-node-gpu', 'lib', 'napi-v8');
  return readdirSync(dir).filter((name) => name.startsWith('sonoground-cuda-ops-'));
}

/** The addon for MPI in place in a project, or the note that there is none: names of files. */
export function mpiOf(project: string): string[] {
  const dir = join(project, 'node_modules', '@tensorflow', 'tfjs-node-gpu', 'lib', 'napi-v8');
  return readdirSync(dir).filter((name) => name.startsWith('sonoground-mpi-'));
}
