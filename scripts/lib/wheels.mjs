/**
 * The Python wheels that are used, pinned: `wheels.json` has each one's version, file, size and SHA-256, and nothing else is
 * taken. `node scripts/renew-wheels.mjs` writes it anew, for TENSORFLOW_VERSION and the newest libraries that this one allows.
 */
import { readFileSync } from 'node:fs';
import { newest } from './versions.mjs';

export const TENSORFLOW_VERSION = '2.21.0';

/** Where Python packages are found when there is no pip. */
export const PYPI = 'https://pypi.org/pypi';

/** How pip is told for which machine a wheel is. NVIDIA's hold libraries and no compiled Python, and fit older systems too. */
export const TAGS = [
  ...['--python-version', '3.11', '--implementation', 'cp', '--abi', 'cp311', '--abi', 'none'],
  ...['manylinux_2_27_x86_64', 'manylinux_2_17_x86_64', 'manylinux2014_x86_64', 'manylinux1_x86_64'].flatMap((platform) => [
    '--platform',
    platform,
  ]),
];

/** By variant, `cpu` for machines without an NVIDIA GPU and `cuda`: lists of { project, version, file, bytes, sha256 }, TensorFlow first. */
export const WHEELS = JSON.parse(readFileSync(new URL('wheels.json', import.meta.url), 'utf8'));

/** The wheels that a wheel's metadata asks for in its extra `and-cuda`, with the versions that it allows. */
export function cudaRequirements(metadata) {
  return metadata.split(/\r?\n/).flatMap((line) => {
    const [, project, specifier, condition = ''] = /^Requires-Dist: *([\w.-]+) *\(?([^;)]*)\)? *(?:;(.*))?$/.exec(line) ?? [];
    if (project === undefined || !/extra *== *["']and-cuda["']/.test(condition)) return [];
    return [{ project, specifier: specifier.replace(/ /g, '') }];
  });
}

/** Says what of a wheel's metadata the pinned wheels do not meet, in a clause; nothing if all is there. */
export function unmet(metadata, wheels) {
  for (const { project, specifier } of cudaRequirements(metadata)) {
    const pinned = wheels.find((wheel) => wheel.project === project);
    if (pinned === undefined || newest([pinned.version], specifier) === undefined)
      return `it needs ${project}${specifier}, and ${pinned?.version ?? 'none'} is pinned in scripts/lib/wheels.json`;
  }
  return undefined;
}
