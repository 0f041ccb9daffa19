import { basename } from 'node:path';
import type { Algorithm, Identity, PhraseCodes, SegmentationForm } from '../../evidence/index.js';
import { type BatchSettings, type ExemplarSettings, isByExemplars } from '../batch/settings.js';

/** What DICOM outputs of a batch depend on besides its results. */
export interface EvidenceSettings {
  readonly form: SegmentationForm;
  readonly identity: Identity;
  readonly codes: PhraseCodes;
  /** Of this program. */
  readonly version: string;
}

/** Names models and settings in DICOM outputs, without the folders they lie in. */
export function algorithmOf(settings: BatchSettings | ExemplarSettings, version: string): Algorithm {
  if (isByExemplars(settings)) {
    const { universeg, supports, draws, seed } = settings;
    return { name: basename(universeg), version, parameters: `exemplars=${supports}, draws=${draws}, seed=${seed}` };
  }
  const { detector, masker, method, adapter, maskerAdapter, threshold, nmsThreshold, select } = settings;
  const models = [method, detector, adapter, masker, maskerAdapter].flatMap((name) => (name ? [basename(name)] : []));
  return {
    name: models.join(', '),
    version,
    parameters: `threshold=${threshold}, nms=${nmsThreshold}, select=${select}`,
  };
}
