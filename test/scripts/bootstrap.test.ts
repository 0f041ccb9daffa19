import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { describeUnless } from '../support/skipped.js';
import { until } from '../support/until.js';
import { cudaOpsOf, FakeMachine, isComplete, libraries, mpiOf, nativeOpsOf, type Tool, WHEEL } from './support/fake-project.js';
import { FakePypi } from './support/fake-pypi.js';

/** The wheel is for Linux on x64; elsewhere the set-up goes straight to its fallbacks. */
const elsewhere = process.platform === 'linux' && process.arch === 'x64' ? undefined : 'this is not Linux on x64';

let machine: FakeMachine;
let pypi: FakePypi | undefined;

beforeEach(() => {
  machine = new FakeMachine();
});

afterEach(() => {
  machine.dispose();
  pypi?.close();
  pypi = undefined;
});

async function servePypi(wheel = machine.wheel()): Promise<FakePypi> {
  pypi = new FakePypi(WHEEL, wheel);
  machine.servePypi(await pypi.listen());
  return pypi;
}

/** No message of the set-up is a stack trace. */
function expectPlain(output: string): void {
  expect(output).not.toMatch(/^\s+at .*[:(]\d+/m);
  expect(output).not.toContain('node:internal');
}

describeUnless(elsewhere, 'the set-up', () => {
  it('installs everything into a bare clone, then has nothing to do', async () => {
    const project = machine.clone();
    const first = await machine.run(project);
    expectPlain(first.output);
    expect(first.code).toBe(0);
    expect(isComplete(project)).toBe(true);
    expect(readdirSync(machine.cache).sort()).toEqual(['bindings', 'native-ops', 'tensorflow-2.21.0-cpu']);
    expect(existsSync(join(machine.cache, 'tensorflow-2.21.0-cpu', 'python'))).toBe(false);
    const second = await machine.run(project);
    expect(second).toEqual({ code: 0, output: 'sonoground is set up, with TensorFlow 2.21 (cpu)\n' });
    expect(['npm', 'python3', 'g++'].map((tool) => machine.calls(tool as Tool).length)).toEqual([1, 1, 2]);
  });

  it('takes TensorFlow for a second clone from the cache', async () => {
    await machine.run(machine.clone('one'));
    machine.set('python3', 'fail');
    machine.set('g++', 'fail');
    const two = machine.clone('two');
    expect((await machine.run(two)).code).toBe(0);
    expect(isComplete(two)).toBe(true);
  });

  it('reinstalls the packages when the lock file has changed, but not after a manual npm ci', async () => {
    const project = machine.clone();
    await machine.run(project);
    const lock = join(project, 'package-lock.json');
    const text = readFileSync(lock, 'utf8');
    writeFileSync(lock, `${text}\n`); // other bytes, the same versions
    await machine.run(project);
    expect(machine.calls('npm')).toHaveLength(1);
    writeFileSync(lock, text.replace('1.9.0', '1.9.1'));
    await machine.run(project);
    expect(machine.calls('npm')).toHaveLength(2);
    expect(isComplete(project)).toBe(true);
  });

  it('installs an optional package that the project has come to name', async () => {
    const project = machine.clone();
    await machine.run(project);
    const file = join(project, 'package-lock.json');
    const lock = JSON.parse(readFileSync(file, 'utf8'));
    lock.packages[''].optionalDependencies = { ...lock.packages[''].optionalDependencies, graphics: '1.0.0' };
    lock.packages['node_modules/graphics'] = { version: '1.0.0', optional: true };
    writeFileSync(file, JSON.stringify(lock));
    await machine.run(project);
    expect(machine.calls('npm')).toHaveLength(2);
    expect(readFileSync(join(project, 'node_modules', '.package-lock.json'), 'utf8')).toContain('node_modules/graphics');
    await machine.run(project);
    expect(machine.calls('npm')).toHaveLength(2);
  });

  it('only tells what it would do with --dry-run', async () => {
    const project = machine.clone();
    const { code, output } = await machine.run(project, ['--dry-run']);
    expect(code).toBe(0);
    expect(output).toMatch(/npm ci\n.*tensorflow-cpu==2\.21\.0.*MB.*\n.*SHA-256 [0-9a-f]{64}\n.*unpack.*\n.*g\+\+\n/);
    expect(output).toContain('compile the native operations with g++');
    expect(machine.calls('npm')).toEqual([]);
    expect(existsSync(machine.cache)).toBe(false);
    await machine.run(project);
    expect((await machine.run(project, ['--dry-run'])).output).toBe('nothing to do\n');
  });

  it('refuses an option that it does not know', async () => {
    const { code, output } = await machine.run(machine.clone(), ['--gpu']);
    expect(code).toBe(1);
    expect(output).toBe('sonoground: setup takes --cuda, --cpu and --dry-run, not --gpu\n');
  });

  it('says in one line that npm failed, and installs nothing', async () => {
    const project = machine.clone();
    machine.set('npm', 'fail');
    const { code, output } = await machine.run(project);
    expect(code).toBe(1);
    expect(output).toMatch(/^sonoground: npm ci failed: .*it broke.*\n$/);
  });

  it('says in one line that the cache cannot be written', async () => {
    const project = machine.clone();
    writeFileSync(join(machine.home, 'cache'), 'a file in the place of the folder');
    const { code, output } = await machine.run(project);
    expect(code).toBe(1);
    expect(output).toMatch(/sonoground: .*\/cache\S* cannot be written: .*XDG_CACHE_HOME.*\n$/);
    expectPlain(output);
  });
});

describeUnless(elsewhere, 'fallbacks', () => {
  it.each([
    ['there is no pip', () => machine.remove('python3'), 'pip: not found; trying PyPI'],
    [
      'pip has no network',
      () => machine.set('python3', 'fail'),
      'pip: could not bring tensorflow-cpu==2.21.0 (python3 ERROR: it broke)',
    ],
    ['pip downloads a wrong file', () => machine.set('python3', 'wrong'), 'the checksum of tensorflow-cpu is wrong'],
  ])('uses PyPI over HTTPS if %s', async (_name, spoil, line) => {
    await servePypi();
    const project = machine.clone();
    spoil();
    const { code, output } = await machine.run(project);
    expect(code).toBe(0);
    expect(output).toContain(line);
    expectPlain(output);
    expect(isComplete(project)).toBe(true);
  });

  it('WebAssembly where nothing can be downloaded; reported once, tried again by an explicit set-up', async () => {
    const project = machine.clone();
    machine.set('python3', 'fail');
    const { code, output } = await machine.run(project);
    expect(code).toBe(0);
    expectPlain(output);
    for (const line of [
      /^pip: .*trying PyPI/m,
      /^PyPI over HTTPS: could not/m,
      /^TensorFlow 2\.21: .*trying the stock/m,
      /^there is no native.*no such host.*WebAssembly/m,
    ])
      expect(output).toMatch(line);
    machine.set('python3', 'good');
    expect(await machine.beforeCommand(project)).toEqual({ code: 0, output: '' });
    expect((await machine.run(project)).output).toContain('with TensorFlow 2.21 (cpu)');
    expect(isComplete(project)).toBe(true);
  });

  it('WebAssembly where there is no compiler, without downloading what could not be used', async () => {
    const project = machine.clone();
    machine.remove('g++');
    const { code, output } = await machine.run(project);
    expect(code).toBe(0);
    expect(output).toMatch(/TensorFlow 2\.21: there is no C\+\+ compiler \(g\+\+\)/);
    expect(machine.calls('python3')).toEqual([]);
  });

  it('a wheel whose own record does not fit is not used', async () => {
    machine.publish(WHEEL, libraries(), '', 'tensorflow/libtensorflow_cc.so.2');
    const project = machine.clone();
    const { output } = await machine.run(project);
    expect(output).toMatch(/libtensorflow_cc\.so\.2 does not have the checksum/);
    expect(isComplete(project)).toBe(false);
  });

  it('a file from PyPI with another checksum is thrown away', async () => {
    const wrong = Buffer.from(machine.wheel());
    wrong.writeUInt8(1, 40);
    await servePypi(wrong);
    machine.remove('python3');
    const { output } = await machine.run(machine.clone());
    expect(output).toMatch(/PyPI over HTTPS: could not bring tensorflow-cpu \(the checksum is wrong/);
    expect(readdirSync(join(machine.cache, 'downloads', 'tensorflow-cpu'))).toEqual([]);
  });
});

describeUnless(elsewhere, 'the addon for MPI', () => {
  it('is compiled by the next command once there is an mpicc, and stays without it; before, a set-up says that there is none', async () => {
    const project = machine.clone();
    const { output } = await machine.run(project);
    expect(output.match(/^training over MPI: no mpicc was found.* one process$/gm)).toHaveLength(1);
    expect(mpiOf(project)).toEqual([]);
    expect(await machine.beforeCommand(project)).toEqual({ code: 0, output: '' });
    machine.add('mpicc');
    expect((await machine.beforeCommand(project)).output).toMatch(/^compiling the addon for training over MPI with \S+mpicc\n$/);
    const [object] = mpiOf(project);
    expect(object).toMatch(/^sonoground-mpi-[0-9a-f]{16}\.node$/);
    machine.remove('mpicc');
    expect(await machine.beforeCommand(project)).toEqual({ code: 0, output: '' });
    expect(mpiOf(project)).toEqual([object]);
    expect((await machine.run(project)).output).not.toContain('MPI');
  });

  it('is left out, with one line of notice, where it does not compile; an explicit set-up tries again', async () => {
    const project = machine.clone();
    machine.add('mpicc');
    machine.set('mpicc', 'wrong');
    const { code, output } = await machine.run(project);
    expect(code).toBe(0);
    expect(output).toMatch(/^training over MPI: the addon did not compile \(addon\.c:1:1: error: no such header\); training.*$/m);
    expect(mpiOf(project)).toEqual([expect.stringMatching(/\.failed$/)]);
    machine.set('mpicc', 'good');
    expect(await machine.beforeCommand(project)).toEqual({ code: 0, output: '' });
    await machine.run(project);
    expect(mpiOf(project)).toEqual([expect.stringMatching(/\.node$/)]);
  });
});

describeUnless(elsewhere, 'the native operations', () => {
  it('are compiled into a clone whose TensorFlow is there already, and shared by others', async () => {
    const project = machine.clone();
    await machine.run(project);
    const [object = ''] = nativeOpsOf(project);
    expect(object).toMatch(/^sonoground-ops-[0-9a-f]{16}\.node$/);
    rmSync(join(project, 'node_modules/@tensorflow/tfjs-node-gpu/lib/napi-v8', object));
    machine.set('g++', 'fail');
    expect(await machine.beforeCommand(project)).toEqual({ code: 0, output: '' });
    expect(nativeOpsOf(project)).toEqual([object]);
  });

  it('are recompiled by the next command when their sources have changed', async () => {
    const project = machine.clone();
    await machine.run(project);
    const [before] = nativeOpsOf(project);
    appendFileSync(join(project, 'native/deformable-attention.cc'), '// changed');
    const { output } = await machine.beforeCommand(project);
    expect(output).toBe('compiling the native operations with g++, about a minute\n');
    const after = nativeOpsOf(project);
    expect(after).toEqual([expect.stringMatching(/\.node$/)]);
    expect(after).not.toEqual([before]);
    expect(await machine.beforeCommand(project)).toEqual({ code: 0, output: '' });
  });

  it('are skipped with one notice where they do not compile; an explicit set-up tries again', async () => {
    const project = machine.clone();
    machine.set('g++', 'wrong');
    const { code, output } = await machine.run(project);
    expect(code).toBe(0);
    expectPlain(output);
    expect(output).toMatch(
      /^native operations: they did not compile \(a\.cc:1:1: error: no such op\); the portable versions.*$/m,
    );
    expect(isComplete(project)).toBe(true);
    expect(nativeOpsOf(project)).toEqual([expect.stringMatching(/\.failed$/)]);
    machine.set('g++', 'good');
    expect(await machine.beforeCommand(project)).toEqual({ code: 0, output: '' });
    await machine.run(project);
    expect(nativeOpsOf(project)).toEqual([expect.stringMatching(/\.node$/)]);
  });

  it('are not half there after the compiler was killed', async () => {
    const project = machine.clone();
    await machine.run(project);
    appendFileSync(join(project, 'native/deformable-attention.cc'), '// changed');
    const old = nativeOpsOf(project);
    machine.set('g++', 'hang');
    const { child, outcome } = machine.start(project);
    const orphan = await machine.hung();
    child.kill('SIGKILL');
    child.stdout?.destroy();
    child.stderr?.destroy();
    await outcome;
    process.kill(orphan, 'SIGKILL');
    expect(nativeOpsOf(project)).toEqual(old);
    machine.set('g++', 'good');
    expect((await machine.beforeCommand(project)).code).toBe(0);
    expect(nativeOpsOf(project)).not.toEqual(old);
  });
});

describeUnless(elsewhere, 'what others may write', () => {
  const TENSORFLOW = 'tensorflow-2.21.0-cpu';

  it.each<[string, string, number]>([
    ['the cache', '', 0o777],
    ['the folder of TensorFlow', TENSORFLOW, 0o777],
    ['a library', `${TENSORFLOW}/lib/libtensorflow_cc.so.2`, 0o666],
  ])('is not run: %s', async (_name, path, mode) => {
    const project = machine.clone();
    await machine.run(project);
    chmodSync(join(machine.cache, path), mode);
    const { code, output } = await machine.beforeCommand(project);
    expect(code).toBe(1);
    expect(output).toContain(
      `${join(machine.cache, path)} is for what this command runs, but everybody may write it (mode ${mode.toString(8)})`,
    );
    rmSync(join(machine.cache), { recursive: true });
    expect((await machine.run(project)).code).toBe(0);
    expect(isComplete(project)).toBe(true);
  });

  it.each(['bindings', 'native-ops'])('is rebuilt, with a notice, if it has not been run yet: %s', async (folder) => {
    await machine.run(machine.clone('one'));
    for (const name of readdirSync(join(machine.cache, folder))) writeFileSync(join(machine.cache, folder, name), 'evil');
    chmodSync(join(machine.cache, folder), 0o777);
    const two = machine.clone('two');
    const { code, output } = await machine.run(two);
    expect(code).toBe(0);
    expect(output).toContain(
      `${join(machine.cache, folder)} in the cache is not used: everybody may write it (mode 777); it is made anew`,
    );
    expect(isComplete(two)).toBe(true);
    for (const name of nativeOpsOf(two))
      expect(readFileSync(join(two, 'node_modules/@tensorflow/tfjs-node-gpu/lib/napi-v8', name), 'utf8')).toBe('binding');
  });

  it('is never made by the set-up, whatever the mask of the user', async () => {
    const before = process.umask(0);
    const project = machine.clone();
    await machine.run(project);
    process.umask(before);
    const paths = readdirSync(machine.cache, { recursive: true }).map((name) => join(machine.cache, String(name)));
    expect(paths.length).toBeGreaterThan(5);
    const open = [machine.cache, ...paths].filter((path) => !lstatSync(path).isSymbolicLink() && statSync(path).mode & 0o022);
    expect(open).toEqual([]);
    expect((await machine.beforeCommand(project)).output).toBe('');
  });

  it('is closed without a word where nothing of it was run', async () => {
    mkdirSync(join(machine.cache, 'audit'), { recursive: true });
    chmodSync(machine.cache, 0o777);
    const project = machine.clone();
    expect((await machine.run(project)).code).toBe(0);
    expect(statSync(machine.cache).mode & 0o777).toBe(0o755);
  });
});

describeUnless(elsewhere, 'a broken download', () => {
  it('resumes where it broke off', async () => {
    const server = await servePypi();
    server.faults.push('break', 'break');
    machine.remove('python3');
    const project = machine.clone();
    const { output } = await machine.run(project);
    expect(output).toContain('the connection broke');
    expect(isComplete(project)).toBe(true);
    expect(server.ranges).toHaveLength(3);
    expect(server.ranges.slice(1)).toEqual([expect.stringMatching(/^bytes=[1-9]/), expect.stringMatching(/^bytes=[1-9]/)]);
  });

  it('resumes after the set-up was killed', async () => {
    const server = await servePypi();
    server.faults.push('stall');
    machine.remove('python3');
    const project = machine.clone();
    const { child, outcome } = machine.start(project);
    const partial = join(machine.cache, 'downloads', 'tensorflow-cpu', `${WHEEL}.partial`);
    await until(() => existsSync(partial) && readFileSync(partial).length > 0);
    child.kill('SIGKILL');
    await outcome;
    expect((await machine.run(project)).code).toBe(0);
    expect(isComplete(project)).toBe(true);
    expect(server.ranges[1]).toMatch(/^bytes=[1-9]/);
  });
});

describeUnless(elsewhere, 'a killed set-up', () => {
  it.each<[string, Tool]>([
    ['npm', 'npm'],
    ['the download', 'python3'],
    ['the compiler', 'g++'],
  ])('resumes after it died during %s, once its child processes are gone', async (_name, tool) => {
    const project = machine.clone();
    machine.set(tool, 'hang');
    const { child, outcome } = machine.start(project);
    const orphan = await machine.hung();
    child.kill('SIGKILL');
    child.stdout?.destroy(); // the orphan holds the other ends
    child.stderr?.destroy();
    await outcome;
    expect(isComplete(project)).toBe(false);

    machine.set(tool, 'good');
    const again = machine.start(project);
    await until(() => again.output().includes('another set-up is at work; waiting for it'));
    expect(machine.calls(tool)).toHaveLength(1);
    process.kill(orphan, 'SIGKILL');
    expect((await again.outcome).code).toBe(0);
    expect(isComplete(project)).toBe(true);
  });

  it('restarts unpacking if it died meanwhile, and does not download again', async () => {
    machine.publish(WHEEL, libraries(256 << 20));
    const project = machine.clone();
    const { child, outcome } = machine.start(project);
    const dir = join(machine.cache, 'tensorflow-2.21.0-cpu');
    await until(() => existsSync(join(`${dir}.new`, 'lib', 'libtensorflow_cc.so.2')));
    child.kill('SIGKILL');
    await outcome;
    expect(existsSync(dir)).toBe(false);
    expect((await machine.run(project)).code).toBe(0);
    expect(isComplete(project)).toBe(true);
    expect(machine.calls('python3')).toHaveLength(1);
    expect(existsSync(`${dir}.new`)).toBe(false);
  });

  it('ends at once, with what it has started, on an interrupt', async () => {
    const project = machine.clone();
    machine.set('python3', 'hang');
    const { child, outcome } = machine.start(project);
    const pip = await machine.hung();
    child.kill('SIGINT');
    const { code, output } = await outcome; // comes only when pip, which shares the streams, has ended too
    expect(code).toBe(130);
    expectPlain(output);
    await until(() => !isRunning(pip));
  });
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describeUnless(elsewhere, 'two set-ups at once', () => {
  it('in two clones download and compile once', async () => {
    const projects = [machine.clone('one'), machine.clone('two'), machine.clone('three')];
    const outcomes = await Promise.all(projects.map((project) => machine.run(project)));
    expect(outcomes.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(projects.map(isComplete)).toEqual([true, true, true]);
    expect([machine.calls('python3').length, machine.calls('g++').length, machine.calls('npm').length]).toEqual([1, 2, 3]);
  });

  it('in one clone install the packages once', async () => {
    const project = machine.clone();
    const outcomes = await Promise.all([machine.run(project), machine.run(project)]);
    expect(outcomes.map(({ code }) => code)).toEqual([0, 0]);
    expect(machine.calls('npm')).toHaveLength(1);
    expect(isComplete(project)).toBe(true);
  });
});

describeUnless(elsewhere, '--cuda', () => {
  const METADATA = [
    'Requires-Dist: absl-py>=1.0.0',
    'Requires-Dist: nvidia-cublas-cu12<13.0,>=9.5.3.2; extra == "and-cuda"',
    'Requires-Dist: nvidia-cudnn-cu12<10.0,>=9.3.0.75; extra == "and-cuda"',
  ].join('\n');

  it('installs the NVIDIA libraries beside the CUDA build, also for new clones, and leaves those that are set up alone', async () => {
    machine.publish('tensorflow-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl', libraries(), METADATA);
    for (const part of ['cublas', 'cudnn'])
      machine.publish(`nvidia_${part}_cu12-9.9.1.4-py3-none-manylinux_2_27_x86_64.whl`, [
        { name: `nvidia/${part}/lib/lib${part}.so.12`, data: Buffer.from(part) },
        { name: `nvidia/${part}/include/${part}.h`, data: Buffer.from('// not needed') },
      ]);
    const [project, earlier] = [machine.clone(), machine.clone('earlier')];
    await machine.run(project);
    await machine.run(earlier);
    const { code, output } = await machine.run(project, ['--cuda']);
    expect(output).toContain('with TensorFlow 2.21 (cuda)');
    expect((await machine.run(earlier)).output).toContain('(cpu)');
    expect(code).toBe(0);
    const deps = join(project, 'node_modules/@tensorflow/tfjs-node-gpu/deps');
    expect(readdirSync(join(deps, 'nvidia', 'cublas'))).toEqual(['lib']);
    expect(existsSync(join(deps, 'nvidia/cudnn/lib/libcudnn.so.12'))).toBe(true);
    expect(machine.asked).toEqual([
      'tensorflow-cpu==2.21.0',
      'tensorflow==2.21.0',
      'nvidia-cudnn-cu12==9.9.1.4',
      'nvidia-cublas-cu12==9.9.1.4',
    ]);

    const other = machine.clone('other');
    expect((await machine.run(other)).output).toContain('(cuda)');
    expect((await machine.run(other, ['--cpu'])).output).toContain('(cpu)');
    expect(machine.calls('python3')).toHaveLength(4);
  });

  it('takes no NVIDIA library that is not the one pinned, whatever the index says', async () => {
    machine.publish('tensorflow-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl', libraries(), METADATA);
    const file = 'nvidia_cublas_cu12-9.9.1.4-py3-none-manylinux_2_27_x86_64.whl';
    const files = (text: string) => [{ name: 'nvidia/cublas/lib/libcublas.so.12', data: Buffer.from(text) }];
    machine.publish(file, files('right'));
    const project = machine.clone();
    machine.publish(file, files('evil!'));
    const { output } = await machine.run(project, ['--cuda']);
    expect(output).toContain('the checksum of nvidia-cublas-cu12 is wrong, its file was thrown away');
    expect(output).toContain('nvidia-cublas-cu12==9.9.1.4 could not be downloaded');
    expect(existsSync(join(machine.cache, 'tensorflow-2.21.0-cuda'))).toBe(false);
  });

  it('says which library the pins lack', async () => {
    machine.publish('tensorflow-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl', libraries(), METADATA);
    machine.publish('nvidia_cublas_cu12-9.9.1.4-py3-none-manylinux_2_27_x86_64.whl', []);
    const { output } = await machine.run(machine.clone(), ['--cuda']);
    expect(output).toContain('it needs nvidia-cudnn-cu12<10.0,>=9.3.0.75, and none is pinned in scripts/lib/wheels.json');
  });

  function publishCuda(): void {
    machine.publish('tensorflow-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl', libraries(), 'Requires-Dist: absl-py>=1.0.0');
  }

  it('compiles the CUDA kernels where there is a compiler for them, for the cards that it knows, and shares them', async () => {
    publishCuda();
    machine.add('nvcc');
    const project = machine.clone();
    expect((await machine.run(project, ['--cuda', '--dry-run'])).output).toContain(
      'compile deformable attention for CUDA with nvcc',
    );
    const { code, output } = await machine.run(project, ['--cuda']);
    expect([code, output]).toEqual([0, expect.stringContaining('compiling deformable attention for CUDA with nvcc')]);
    expect(cudaOpsOf(project)).toEqual([expect.stringMatching(/^sonoground-cuda-ops-[0-9a-f]{16}\.node$/)]);
    const [call = ''] = machine.calls('nvcc').filter((line) => line.includes(' -shared '));
    expect([...call.matchAll(/arch=\S+/g)].map(([text]) => text)).toEqual([
      'arch=compute_75,code=sm_75',
      'arch=compute_90,code=sm_90',
      'arch=compute_90,code=compute_90',
    ]);
    expect(await machine.beforeCommand(project)).toEqual({ code: 0, output: '' });
    machine.set('nvcc', 'fail');
    const other = machine.clone('other');
    expect((await machine.run(other)).output).toContain('(cuda)');
    expect(cudaOpsOf(other)).toEqual(cudaOpsOf(project));
  });

  it.each([
    ['there is no compiler for them', () => {}, 'CUDA kernels: there is no NVIDIA compiler (nvcc); on a GPU'],
    [
      'they do not compile',
      () => {
        machine.add('nvcc');
        machine.set('nvcc', 'wrong');
      },
      'CUDA kernels: they did not compile (a.cu(1): error: no such thing); on a GPU',
    ],
  ])('skips the CUDA kernels with one notice if %s; an explicit set-up tries again', async (_name, spoil, line) => {
    publishCuda();
    spoil();
    const project = machine.clone();
    const { code, output } = await machine.run(project, ['--cuda']);
    expect([code, output]).toEqual([0, expect.stringContaining(line)]);
    expectPlain(output);
    expect(isComplete(project)).toBe(true);
    expect(cudaOpsOf(project)).toEqual([expect.stringMatching(/\.failed$/)]);
    machine.add('nvcc');
    expect(await machine.beforeCommand(project)).toEqual({ code: 0, output: '' });
    await machine.run(project);
    expect(cudaOpsOf(project)).toEqual([expect.stringMatching(/\.node$/)]);
  });

  it('does not compile them for the CPU build', async () => {
    machine.add('nvcc');
    const project = machine.clone();
    await machine.run(project);
    expect(cudaOpsOf(project)).toEqual([]);
    expect(machine.calls('nvcc')).toEqual([]);
  });
});
