/** The TensorFlow that is used, pinned. */

const tags = (platform) => ['--python-version', '3.11', '--implementation', 'cp', '--abi', 'cp311', '--platform', platform];

export const TENSORFLOW_VERSION = '2.21.0';

/** For machines without an NVIDIA GPU. */
export const cpuWheel = {
  project: 'tensorflow-cpu',
  version: TENSORFLOW_VERSION,
  file: `tensorflow_cpu-${TENSORFLOW_VERSION}-cp311-cp311-manylinux_2_27_x86_64.whl`,
  bytes: 273_829_956,
  sha256: '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
  tags: tags('manylinux_2_27_x86_64'),
};

/** For CUDA. The NVIDIA libraries that it needs are named in its own metadata (extra `and-cuda`) and are brought beside it. */
export const cudaWheel = {
  project: 'tensorflow',
  version: TENSORFLOW_VERSION,
  file: `tensorflow-${TENSORFLOW_VERSION}-cp311-cp311-manylinux_2_27_x86_64.whl`,
  bytes: 650_000_000,
  sha256: undefined,
  tags: tags('manylinux_2_27_x86_64'),
};

/** NVIDIA's wheels hold no Python code of a certain version. */
export const nvidiaTags = [
  '--python-version',
  '3.11',
  '--platform',
  'manylinux_2_27_x86_64',
  '--platform',
  'manylinux2014_x86_64',
  '--platform',
  'manylinux1_x86_64',
];

/** `name==version` of each wheel that the extra `and-cuda` asks for. */
export function cudaRequirements(metadata) {
  return [
    ...metadata.matchAll(
      /^Requires-Dist: ([\w-]+)\s*(?:\(?==?([\w.]+)\)?|<[^;]*>=([\w.]+)|>=([\w.]+)[^;]*)?.*extra == ['"]and-cuda['"]/gm,
    ),
  ].map(([, name, exact, low, least]) => ({ name, version: exact, least: low ?? least }));
}
