import { join } from 'node:path';
import type { Manifest, ManifestPart } from '../infer/index.js';
import { loadDetector } from '../pretrained/index.js';
import { detectorProgram } from './detector-program.js';
import { loadWholeMasker } from './load-whole-masker.js';
import { maskerPrograms } from './masker-program.js';
import { writePeftFolder } from './peft-folder.js';
import { report, verifyAgain } from './verify.js';
import { detectorShape } from './write-detector.js';

/** Models and the adapters trained on them. */
export interface AdapterSource {
  readonly detector: string;
  readonly adapter?: string | undefined;
  readonly masker: string;
  readonly maskerAdapter?: string | undefined;
}

/** Writes adapters in PEFT's format. They are read back to verify that the models' outputs are unchanged. */
export async function writeAdapters(
  { detector, adapter, masker, maskerAdapter }: AdapterSource,
  root: string,
  say: (message: string) => void,
): Promise<Pick<Manifest, 'detector' | 'masker'>> {
  say('the adapter of the detector');
  const first = await writeDetectorAdapter(detector, adapter as string, root);
  report('detector', first.verification, say);
  if (maskerAdapter === undefined) return { detector: first, masker: null };
  say('the adapter of the masker');
  const second = await writeMaskerAdapter(masker, maskerAdapter, root);
  report('masker', second.verification, say);
  return { detector: first, masker: second };
}

async function writeDetectorAdapter(base: string, adapter: string, root: string): Promise<ManifestPart> {
  const path = 'detector';
  const original = await loadDetector(base, { adapter });
  try {
    await writePeftFolder(adapter, join(root, path), base);
    const again = await loadDetector(base, { adapter: join(root, path) });
    const shape = detectorShape(original);
    const programs = [detectorProgram(original, shape)];
    const verification = await verifyAgain(programs, [detectorProgram(again, shape)]).finally(() => again.model.dispose());
    return { path, type: 'grounding-dino', dtype: 'float32', signatures: {}, verification };
  } finally {
    original.model.dispose();
  }
}

async function writeMaskerAdapter(base: string, adapter: string, root: string): Promise<ManifestPart> {
  const path = 'masker';
  const original = await loadWholeMasker(base, { adapter });
  try {
    await writePeftFolder(adapter, join(root, path), base);
    const again = await loadWholeMasker(base, { adapter: join(root, path) });
    const [programs, others] = [original, again].map((parts) => maskerPrograms(parts, { points: 2 }));
    const verification = await verifyAgain(programs ?? [], others ?? []).finally(() => again.model.dispose());
    return { path, type: original.type, dtype: 'float32', signatures: {}, verification };
  } finally {
    original.model.dispose();
  }
}
