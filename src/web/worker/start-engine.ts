import { config } from 'zod';
import { type BrowserBackend, browserBackends, startInBrowser } from '../../backend/browser.js';
import { graphFiles, loadExportedGraphs, type Manifest, readManifest, Segmenter } from '../../infer/index.js';
import { defaultLimits, LocalEngine } from '../../serve/index.js';
import { watchModelFiles } from '../../util/files.browser.js';
import { CheckpointError, modelPath, RuntimeError, SonogroundError } from '../../util/index.js';
import type { Step } from '../page/engine.js';
import type { Ready } from './messages.js';

/** Side of the blank image for warming up. */
const BLANK = 64;

/**
 * Loads the models of an exported folder onto the best working backend: one that starts but fails is skipped too.
 *
 * @param folder - its URL, without a trailing slash.
 * @param wish - backend to try first.
 * @throws CheckpointError naming the missing or damaged file; RuntimeError with a reason for each backend.
 */
export async function startEngine(
  folder: string,
  wish: BrowserBackend | undefined,
  say: (step: Step) => void,
): Promise<{ readonly engine: LocalEngine; readonly ready: Ready }> {
  // zod would compile schemas with `eval`, which the page's policy forbids.
  config({ jitless: true });
  say({ what: 'Reading the model description' });
  const manifest = await readManifest(folder);
  const passedOver: Partial<Record<BrowserBackend, string>> = {};
  for (const only of ['hardware', 'any'] as const) {
    for (const backend of [...new Set([...(wish === undefined ? [] : [wish]), ...browserBackends])]) {
      if (only === 'any' && passedOver[backend] !== SOFTWARE) continue;
      try {
        const device = await startInBrowser(backend, `${folder}/`);
        if (device.software && only === 'hardware' && backend !== wish)
          throw new RuntimeError({ code: 'E_BACKEND_UNAVAILABLE', where: backend, what: SOFTWARE });
        const engine = await load(folder, manifest, backend, say);
        delete passedOver[backend];
        return { engine, ready: { facts: engine.facts, backend, device: device.device, passedOver } };
      } catch (error) {
        // A problem with the folder affects every backend.
        if (error instanceof CheckpointError) throw error;
        passedOver[backend] = error instanceof SonogroundError ? error.what : String((error as Error).message ?? error);
      }
    }
  }
  const reasons = Object.entries(passedOver).map(([name, reason]) => `${name}: ${reason}`);
  throw new RuntimeError({
    code: 'E_BACKEND_UNAVAILABLE',
    where: 'this browser',
    what: `nothing computes in it (${reasons.join('; ')})`,
    fix: 'Try another one',
  });
}

const SOFTWARE = 'it is emulated by the CPU here';

async function load(
  folder: string,
  manifest: Manifest,
  backend: BrowserBackend,
  say: (step: Step) => void,
): Promise<LocalEngine> {
  watch(folder, manifest, say);
  const { detector, masker, tracking } = await loadExportedGraphs(folder, manifest);
  const segmenter = new Segmenter(detector, masker);
  try {
    say({ what: 'Warming up' });
    const blank = { width: BLANK, height: BLANK, data: new Uint8Array(BLANK * BLANK * 3) };
    await segmenter.segment(blank, 'nothing', { threshold: 0, maxDetections: 1 });
  } catch (error) {
    segmenter.dispose();
    throw error;
  }
  const { source } = manifest;
  const names = { detector: source.detector, adapter: source.adapter, masker: source.masker };
  return new LocalEngine(segmenter, defaultLimits, { backend, ...names }, { tracking });
}

/** Reports the download progress of the graphs. */
function watch(folder: string, manifest: Manifest, say: (step: Step) => void): void {
  const wanted = new Map(Object.entries(graphFiles(manifest)).map(([path, bytes]) => [modelPath(folder, path), bytes]));
  const total = [...wanted.values()].reduce((sum, bytes) => sum + bytes, 0);
  let come = 0;
  const tell = () => say({ what: `Loading the model, ${(total / 1e6).toFixed(1)} MB`, done: come / total });
  tell();
  const all = Object.keys(manifest.files).map((path) => modelPath(folder, path));
  watchModelFiles(all, (path) => {
    // Graphs that are loaded later, on first use, are not part of the start.
    const bytes = wanted.get(path);
    if (bytes === undefined) return;
    come += bytes;
    tell();
  });
}
