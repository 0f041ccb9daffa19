import type { Clip } from '../../src/imaging/index.js';
import { parseSam2VideoConfig, Sam2Video, type Sam2VideoConfig } from '../../src/models/sam2/index.js';
import { ImageProcessor } from '../../src/processing/index.js';
import { loadCheckpoint } from '../../src/weights/index.js';
import { fixtureJson, fixturePath, type GoldenCase } from './golden.js';

/** The video model of a fixture. */
export async function videoModel(
  name = 'sam2-video',
  change: (config: Sam2VideoConfig) => Sam2VideoConfig = (c) => c,
): Promise<Sam2Video> {
  const model = new Sam2Video(change(parseSam2VideoConfig(fixtureJson(name, 'config.json'))));
  const ignore =
    name === 'sam2-video' ? [] : ['temporal_positional_encoding_projection_layer.*', 'occlusion_spatial_embedding_parameter'];
  await loadCheckpoint(model, fixturePath('sam2-video'), { ignore });
  return model;
}

/** The image settings that the fixtures were made with. */
export function videoImages(side = 64): ImageProcessor {
  return ImageProcessor.of({ size: { height: side, width: side } });
}

/** The fixture's eight frames. Counts how often each is read. */
export function goldenClip(golden: GoldenCase): Clip & { readonly reads: number[] } {
  const { data, shape } = golden.array('in.images');
  const [frames = 0, height = 0, width = 0] = shape;
  const size = height * width * 3;
  const reads: number[] = [];
  return {
    name: 'golden',
    frames,
    width,
    height,
    reads,
    frame: async (index) => {
      reads.push(index);
      return { width, height, data: Uint8Array.from(data.slice(index * size, (index + 1) * size)) };
    },
  };
}
