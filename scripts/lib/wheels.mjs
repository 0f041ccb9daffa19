/** The TensorFlow that is used, pinned. */

export const TENSORFLOW_VERSION = '2.21.0';

/** Where Python packages are found when there is no pip. */
export const PYPI = 'https://pypi.org/pypi';

const PYTHON = ['--python-version', '3.11', '--implementation', 'cp', '--abi', 'cp311'];

/** For machines without an NVIDIA GPU. */
export const cpuWheel = {
  project: 'tensorflow-cpu',
  specifier: `==${TENSORFLOW_VERSION}`,
  tags: [...PYTHON, '--platform', 'manylinux_2_27_x86_64'],
  fileName: /-cp311-cp311-manylinux_2_27_x86_64\.whl$/,
  bytes: 273_829_956,
  sha256: '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
};

/**
 * For CUDA. The NVIDIA libraries that it needs are named in its own metadata and brought beside it, in the newest version
 * that it allows. So their checksums are those that the package index states, and each file's is in the wheel's record.
 */
export const cudaWheel = {
  project: 'tensorflow',
  specifier: `==${TENSORFLOW_VERSION}`,
  tags: cpuWheel.tags,
  fileName: cpuWheel.fileName,
  bytes: undefined,
  sha256: undefined,
};

/** The wheels that a wheel's metadata asks for in its extra `and-cuda`. */
export function cudaRequirements(metadata) {
  return metadata.split(/\r?\n/).flatMap((line) => {
    const [, project, specifier, condition = ''] = /^Requires-Dist: *([\w.-]+) *\(?([^;)]*)\)? *(?:;(.*))?$/.exec(line) ?? [];
    if (project === undefined || !/extra *== *["']and-cuda["']/.test(condition)) return [];
    return [{ project, specifier: specifier.replace(/ /g, ''), tags: NVIDIA_TAGS, fileName: NVIDIA_FILE }];
  });
}

/** NVIDIA's wheels hold libraries and no compiled Python. */
const NVIDIA_TAGS = [
  '--python-version',
  '3.11',
  ...['manylinux_2_27_x86_64', 'manylinux_2_17_x86_64', 'manylinux2014_x86_64', 'manylinux1_x86_64'].flatMap((platform) => [
    '--platform',
    platform,
  ]),
];
const NVIDIA_FILE = /manylinux[\w.]*_x86_64\.whl$/;
