import { type Code, dcm, sct } from '../../dicom/index.js';
import { PRIVATE_SCHEME } from '../phrase-codes.js';
import type { EvidenceOptions, PlaneVolume } from '../types.js';
import { type ContentItem, code, container, image, measurement, text, uidReference } from './content-items.js';
import { findingItems, methodItems } from './object-group.js';

const VOLUME = dcm('121218', 'Volume estimated from two non-coplanar 2D regions');
const ML: Code = { value: 'mL', scheme: 'UCUM', meaning: 'milliliter' };
const ELLIPSOID: Code = { value: 'ELLIPSOID', scheme: PRIVATE_SCHEME, meaning: 'Pi / 6 x length x width x height' };

/**
 * The measurement group of a volume from two planes (TID 1501): its finding, the frames of both planes, and the volume with the
 * diameters that it comes from.
 */
export function volumeGroup(volume: PlaneVolume, options: EvidenceOptions): ContentItem {
  const { phrase, ml, diametersMm, agreement, planes } = volume;
  const { identity, run } = options;
  const uid = identity.made('volume', ...planes.map(placeOf), run, phrase);
  const [length, width, height] = diametersMm.map((mm) => mm.toFixed(1));
  return container(
    dcm('125007', 'Measurement Group'),
    [
      text('HAS OBS CONTEXT', dcm('112039', 'Tracking Identifier'), `${phrase}, volume`),
      uidReference('HAS OBS CONTEXT', dcm('112040', 'Tracking Unique Identifier'), uid),
      ...findingItems(options.codes.meaningOf(phrase)),
      ...methodItems(options),
      ...planes.map(({ source, frame }) =>
        image('CONTAINS', dcm('121112', 'Source of Measurement'), {
          ...source,
          frame: source.multiframe ? frame + 1 : undefined,
        }),
      ),
      measurement(VOLUME, ml, ML, [code('HAS CONCEPT MOD', sct('370129005', 'Measurement Method'), ELLIPSOID)]),
      text(
        'CONTAINS',
        dcm('121106', 'Comment'),
        `length ${length} mm in the first plane, width ${width} mm and height ${height} mm in the second; the diameter that both show agrees to a factor of ${agreement.toFixed(2)}`,
      ),
    ],
    '1501',
  );
}

/** Identifies a plane. */
export function placeOf({ source, frame }: PlaneVolume['planes'][number]): string {
  return `${source.sopInstance}#${frame}`;
}
