import { CheckpointError, modelPath } from '../../util/index.js';
import type { Detector } from '../detector.js';
import { loadGraph } from './graph-model.js';
import type { Manifest, ManifestPart } from './manifest.js';
import { type GraphMasker, openGraphDetector, openGraphMasker } from './open-graphs.js';
import { runnerOf } from './signatures.js';

/**
 * Signatures that every image, prompt and box needs. Each is a graph with its own weights, so the others are loaded on demand.
 */
const AHEAD = ['serving_default', 'decode_boxes'];

/** The files that {@link loadExportedGraphs} reads, with their sizes in bytes. */
export function graphFiles({ detector, masker, files }: Manifest): Record<string, number> {
  const graphs = [detector, masker].flatMap((part) =>
    part === null ? [] : AHEAD.flatMap((name) => part.signatures[name] ?? []),
  );
  const folders = graphs.map(({ file }) => file.replace(/[^/]*$/, ''));
  const isOf = (path: string) => /(\.bin|\/model\.json)$/.test(path) && folders.includes(path.replace(/[^/]*$/, ''));
  return Object.fromEntries(Object.entries(files).flatMap(([path, { bytes }]) => (isOf(path) ? [[path, bytes]] : [])));
}

/**
 * Loads the graph models of an exported folder, using only APIs that browsers have too, as the static page does.
 *
 * @param dir - the folder; in a browser its URL, relative to the page.
 * @throws CheckpointError for an export of another form, or naming the file that is missing or malformed.
 */
export async function loadExportedGraphs(
  dir: string,
  { form, detector, masker }: Manifest,
): Promise<{ readonly detector: Detector } & GraphMasker> {
  if (form !== 'graph-model' || masker === null)
    throw new CheckpointError({
      code: 'E_EXPORT_CANNOT',
      where: dir,
      what: `it is exported as ${form}`,
      fix: 'Export it with --format web-page',
    });
  const open = (part: ManifestPart) => runnerOf(dir, part, (file) => loadGraph(modelPath(dir, file)), AHEAD);
  const finder = await openGraphDetector(dir, detector, open);
  try {
    return { detector: finder, ...(await openGraphMasker(dir, masker, open)) };
  } catch (error) {
    finder.dispose();
    throw error;
  }
}
