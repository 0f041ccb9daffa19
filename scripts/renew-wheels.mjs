/**
 * Updates scripts/lib/wheels.json: `node scripts/renew-wheels.mjs`. pip resolves TensorFlow and the NVIDIA libraries that it
 * allows, without downloading them, and reports the package index's entry for each file. Review the difference before committing
 * it, and try `npm run setup -- --cuda` on a machine with a GPU.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main, SetupError, say } from './lib/say.mjs';
import { TAGS, TENSORFLOW_VERSION } from './lib/wheels.mjs';

const FILE = new URL('lib/wheels.json', import.meta.url);

await main(async () => {
  const cpu = await pinned(`tensorflow-cpu==${TENSORFLOW_VERSION}`, (name) => name === 'tensorflow-cpu');
  const cuda = await pinned(
    `tensorflow[and-cuda]==${TENSORFLOW_VERSION}`,
    (name) => name === 'tensorflow' || name.startsWith('nvidia-'),
  );
  cuda.sort(
    (a, b) => Number(b.project === 'tensorflow') - Number(a.project === 'tensorflow') || (a.project < b.project ? -1 : 1),
  );
  writeFileSync(FILE, `${JSON.stringify({ cpu, cuda }, null, 2)}\n`);
  say(`${cpu.length + cuda.length} wheels are pinned: git diff scripts/lib/wheels.json`);
});

async function pinned(requirement, wanted) {
  const dir = mkdtempSync(join(tmpdir(), 'sonoground-wheels-'));
  try {
    const report = join(dir, 'report.json');
    const options = ['--dry-run', '--ignore-installed', '--quiet', '--only-binary=:all:', '--target', join(dir, 'none')];
    const args = ['-m', 'pip', 'install', ...options, ...TAGS, '--platform', 'any', '--report', report, requirement];
    const { status } = spawnSync('python3', args, { stdio: 'inherit' });
    if (status !== 0) throw new SetupError(`pip could not resolve ${requirement}`);
    const found = JSON.parse(readFileSync(report, 'utf8')).install.filter(({ metadata }) => wanted(normal(metadata.name)));
    if (found.length === 0) throw new SetupError(`pip names no wheel of ${requirement}`);
    return await Promise.all(found.map(pinOf));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function pinOf({ metadata: { name, version }, download_info: { url, archive_info } }) {
  const bytes = await sizeOf(url);
  const sha256 = archive_info?.hashes?.sha256;
  if (!(bytes > 0) || sha256 === undefined)
    throw new SetupError(`the package index does not state the size and the SHA-256 of ${name} ${version}`);
  return { project: normal(name), version, file: decodeURIComponent(new URL(url).pathname.split('/').at(-1)), bytes, sha256 };
}

async function sizeOf(url) {
  if (url.startsWith('file:')) return statSync(new URL(url)).size;
  const response = await fetch(url, { method: 'HEAD' });
  return response.ok ? Number(response.headers.get('content-length')) : 0;
}

/** Project names are spelled with dashes or underscores. */
function normal(name) {
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}
