import {
  type EncodedInstance,
  type EncodedSegmentation,
  type EvidenceOptions,
  encodeReport,
  encodeSegmentation,
  type Identity,
  keptIdentity,
  readPhraseCodes,
  readSourceInstance,
  type SegmentationForm,
  type SegmentedObject,
} from '../../src/evidence/index.js';
import { type BinaryMask, DicomFile } from '../../src/imaging/index.js';
import { measureMask, measuresFields } from '../../src/measure/index.js';
import { type DicomParts, dicom } from './dicom.js';
import { regionsOf } from './ultrasound-region.js';

const [WIDTH, HEIGHT] = [61, 43]; // bits of a frame end within a byte
const ONE = '1.2.840.10008.5.1.4.1.1.6.1';
const SEVERAL = '1.2.840.10008.5.1.4.1.1.3.1';

/** Elements of a source that references and studies need. */
export const STUDY: NonNullable<DicomParts['more']> = {
  '00080018': { vr: 'UI', Value: ['1.2.826.7.3'] },
  '00080020': { vr: 'DA', Value: ['20260504'] },
  '00080030': { vr: 'TM', Value: ['101112'] },
  '00080050': { vr: 'SH', Value: ['A-77'] },
  '00080060': { vr: 'CS', Value: ['US'] },
  '00100010': { vr: 'PN', Value: ['Doe^Jane'] },
  '00100020': { vr: 'LO', Value: ['4711'] },
  '0020000D': { vr: 'UI', Value: ['1.2.826.7.1'] },
  '0020000E': { vr: 'UI', Value: ['1.2.826.7.2'] },
  '00200010': { vr: 'SH', Value: ['S1'] },
  '00200013': { vr: 'IS', Value: ['5'] },
};

const whole = regionsOf({ box: [0, 0, WIDTH - 1, HEIGHT - 1], delta: [0.02, 0.02], reference: [2, 0] });
const two = regionsOf(
  { box: [0, 0, 29, HEIGHT - 1], delta: [0.02, 0.02] },
  { box: [31, 0, WIDTH - 1, HEIGHT - 1], delta: [0.03, 0.03] },
);

/** Kinds of sources: what of them differs. */
export const SOURCES: Readonly<Record<string, Omit<DicomParts, 'width' | 'height' | 'frames'> & { readonly count: number }>> = {
  'a single frame': { count: 1, more: whole },
  'a cine clip of 30 frames': { count: 30, more: { ...whole, '00181063': { vr: 'DS', Value: ['33'] } } },
  'a colour image': { count: 1, samples: 3, photometric: 'RGB', more: whole },
  'two ultrasound regions': { count: 1, more: two },
  'no calibration': { count: 1, more: {} },
};

/** A source file. */
export function sourceFile({ count, more, ...parts }: (typeof SOURCES)[string]): Buffer {
  const bytes = WIDTH * HEIGHT * (parts.samples ?? 1);
  return dicom({
    ...parts,
    width: WIDTH,
    height: HEIGHT,
    frames: Array.from({ length: count }, (_, frame) => Uint8Array.from({ length: bytes }, (_, i) => (i * 7 + frame) % 200)),
    more: { ...STUDY, '00080016': { vr: 'UI', Value: [count > 1 ? SEVERAL : ONE] }, ...more },
  });
}

function disc(x: number, y: number, radius: number): BinaryMask {
  const inside = (i: number) => Math.hypot((i % WIDTH) - x, Math.floor(i / WIDTH) - y) <= radius;
  return { width: WIDTH, height: HEIGHT, data: Uint8Array.from({ length: WIDTH * HEIGHT }, (_, i) => Number(inside(i))) };
}

/** Two objects of one phrase and one of another, the last on every other frame of a clip; the first two overlap if asked for. */
export async function objectsIn(file: Uint8Array, overlap = false): Promise<SegmentedObject[]> {
  const opened = await DicomFile.parse(file, 'source.dcm');
  const { frames } = opened.header;
  const object = async (
    phrase: string,
    number: number,
    at: (frame: number) => BinaryMask,
    every = 1,
  ): Promise<SegmentedObject> => {
    const shown = Array.from({ length: Math.ceil(frames / every) }, (_, k) => k * every);
    const masks = await Promise.all(
      shown.map(async (frame) => {
        const mask = at(frame);
        const measures = measuresFields(measureMask(mask, (await opened.image(frame)).calibration));
        return { frame, mask, score: 0.75, measures };
      }),
    );
    return { phrase, label: `${phrase} ${number}`, frames: masks };
  };
  return [
    await object('thyroid nodule', 1, (frame) => disc(10 + frame / 10, 12, 5)),
    await object('thyroid nodule', 2, (frame) => disc(overlap ? 16 : 45, 12 + frame / 10, 7)),
    await object('Σκιά', 1, () => disc(15, 32, 4), 2),
  ];
}

export interface Encoded {
  readonly options: EvidenceOptions;
  readonly segmentation: EncodedSegmentation;
  readonly report: EncodedInstance;
}

/** Encodes both for a source. */
export async function encodeBoth(
  file: Uint8Array,
  form: SegmentationForm = 'binary',
  identity: Identity = keptIdentity(),
  objects?: readonly SegmentedObject[],
): Promise<Encoded> {
  const options: EvidenceOptions = {
    source: await readSourceInstance(file, 'source.dcm', identity),
    objects: objects ?? (await objectsIn(file)),
    algorithm: { name: 'nano-grounding-dino, nano-sam2', version: '1.0.0', parameters: 'threshold=0.3' },
    codes: await readPhraseCodes(),
    identity,
    run: 'run',
  };
  const segmentation = await encodeSegmentation({ ...options, form });
  return { options, segmentation, report: await encodeReport({ ...options, segmentation }) };
}
