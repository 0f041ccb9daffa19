import type { BoxXyxy, RasterImage } from '../../imaging/index.js';
import type { Masker, MaskPrediction } from '../masker.js';
import { largestComponents } from './coarse-mask.js';

/** The largest connected part of another masker's masks. Owns it. */
export class LargestComponentMasker implements Masker {
  private readonly masker: Masker;

  constructor(masker: Masker) {
    this.masker = masker;
  }

  setImage(image: RasterImage): Promise<void> {
    return this.masker.setImage(image);
  }

  async predictBoxes(boxesXyxyPx: readonly BoxXyxy[], levels?: readonly number[]): Promise<MaskPrediction[]> {
    const masks = await this.masker.predictBoxes(boxesXyxyPx, levels);
    return masks.map(({ mask, score, atLevels }) => ({
      mask: largestComponents(mask),
      score,
      ...(atLevels && { atLevels: atLevels.map(largestComponents) }),
    }));
  }

  dispose(): void {
    this.masker.dispose();
  }
}
