import { type ConfigDict, Module, type Serializable, type SerializableClass } from '../../nn/index.js';
import { Sam } from '../sam/index.js';
import type { SamusConfig } from './config.js';
import { SamusImageEncoder } from './image-encoder.js';

/**
 * SAMUS: a SAM whose image encoder was rebuilt for ultrasound, at a sixteenth of the pixels. Prompt encoder and mask decoder are
 * SAM's. Its weights were trained on single points.
 *
 * @see Lin et al. 2023, SAMUS; xianlin7/SAMUS, `models/segment_anything_samus`
 */
export class Samus extends Sam {
  declare readonly config: SamusConfig;

  constructor(config: SamusConfig) {
    super(config, new SamusImageEncoder(config.vision));
  }

  static override fromConfig<T extends Serializable>(_class: SerializableClass<T>, config: ConfigDict): T {
    return Module.restored(new Samus(config['config'] as unknown as SamusConfig), config);
  }
}
