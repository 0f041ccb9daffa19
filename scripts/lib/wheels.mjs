/**
 * The pinned Python wheels: `wheels.json` contains version, file, size and SHA-256 of each, and only these are used. `node
 * scripts/renew-wheels.mjs` updates it to TENSORFLOW_VERSION and the newest libraries that this allows.
 */
import { readFileSync } from 'node:fs';
import { newest } from './versions.mjs';

export const TENSORFLOW_VERSION = '2.21.0';

/** Source of Python packages without pip. */
export const PYPI = 'https://pypi.org/pypi';

/** pip's platform tags for the target machines. NVIDIA's wheels contain no compiled Python, and also fit older systems. */
export const TAGS = [
  ...['--python-version', '3.11', '--implementation', 'cp', '--abi', 'cp311', '--abi', 'none'],
  ...['manylinux_2_27_x86_64', 'manylinux_2_17_x86_64', 'manylinux2014_x86_64', 'manylinux1_x86_64'].flatMap((platform) => [
    '--platform',
    platform,
  ]),
];

/**
 * By variant, `cpu` for machines without an NVIDIA GPU and `cuda`: lists of { project, version, file, bytes, sha256 }, TensorFlow
 * first.
 */
export const WHEELS = JSON.parse(readFileSync(new URL('wheels.json', import.meta.url), 'utf8'));

/** The wheels required by a wheel's metadata for the extra `and-cuda`, with version constraints. */
export function cudaRequirements(metadata) {
  return metadata.split(/\r?\n/).flatMap((line) => {
    const [, project, specifier, condition = ''] = /^Requires-Dist: *([\w.-]+) *\(?([^;)]*)\)? *(?:;(.*))?$/.exec(line) ?? [];
    if (project === undefined || !/extra *== *["']and-cuda["']/.test(condition)) return [];
    return [{ project, specifier: specifier.replace(/ /g, '') }];
  });
}

/** A clause naming the requirements of a wheel's metadata that the pinned wheels do not meet; undefined if all are met. */
export function unmet(metadata, wheels) {
  for (const { project, specifier } of cudaRequirements(metadata)) {
    const pinned = wheels.find((wheel) => wheel.project === project);
    if (pinned === undefined || newest([pinned.version], specifier) === undefined)
      return `it needs ${project}${specifier}, and ${pinned?.version ?? 'none'} is pinned in scripts/lib/wheels.json`;
  }
  return undefined;
}
