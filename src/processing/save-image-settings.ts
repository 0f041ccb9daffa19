import { modelPath, writeFileAtomic } from '../util/index.js';
import type { ImageProcessor } from './image-processor.js';

/** Writes a detector's image settings to the file that `ImageProcessor.load` reads. */
export async function saveImageSettings({ config }: ImageProcessor, dir: string): Promise<void> {
  const settings = { image_processor_type: 'GroundingDinoImageProcessor', ...config };
  await writeFileAtomic(modelPath(dir, 'preprocessor_config.json'), `${JSON.stringify(settings, null, 2)}\n`);
}
