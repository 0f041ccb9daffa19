import { PhantomDataset, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { dicom } from './dicom.js';
import { regionsOf } from './ultrasound-region.js';

const CLASSES = { image: '1.2.840.10008.5.1.4.1.1.6.1', clip: '1.2.840.10008.5.1.4.1.1.3.1' } as const;
const SIZE = { width: 128, height: 96 } as const;

/** A study of ultrasound with its files: images of one frame, and a clip. */
export interface Study {
  readonly uid: string;
  readonly instances: readonly {
    readonly uid: string;
    readonly series: string;
    readonly sopClass: string;
    readonly bytes: Buffer;
  }[];
}

/** A study of phantoms, with a patient, and the scale in a scan region. */
export async function ultrasoundStudy(uid: string, images: number, frames: number): Promise<Study> {
  const domain = phantomDomains['standard'] as PhantomDomain;
  const phantoms = new PhantomDataset({ size: images + frames, seed: 7, ...SIZE, domain });
  const grey = async (i: number) => {
    const { image } = await phantoms.load(i);
    return Uint8Array.from({ length: SIZE.width * SIZE.height }, (_, at) => image.data[at * 3] ?? 0);
  };
  const instances = [];
  for (let i = 0; i < images; i++) instances.push(file(uid, i + 1, 'image', [await grey(i)]));
  const clip: Uint8Array[] = [];
  for (let i = 0; i < frames; i++) clip.push(await grey(images + i));
  if (frames > 0) instances.push(file(uid, images + 1, 'clip', clip));
  return { uid, instances };
}

function file(study: string, number: number, kind: keyof typeof CLASSES, frames: readonly Uint8Array[]) {
  const series = `${study}.1`;
  const uid = `${series}.${number}`;
  const sopClass = CLASSES[kind];
  const ui = (value: string) => ({ vr: 'UI', Value: [value] });
  const bytes = dicom({
    ...SIZE,
    frames,
    meta: { '00020002': ui(sopClass), '00020003': ui(uid) },
    more: {
      '00080016': ui(sopClass),
      '00080018': ui(uid),
      '0020000D': ui(study),
      '0020000E': ui(series),
      '00080020': { vr: 'DA', Value: ['20260102'] },
      '00080060': { vr: 'CS', Value: ['US'] },
      '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Muster^Anna' }] },
      '00100020': { vr: 'LO', Value: ['P-17'] },
      '00200010': { vr: 'SH', Value: ['S-4'] },
      '00200011': { vr: 'IS', Value: [1] },
      '00200013': { vr: 'IS', Value: [number] },
      ...(kind === 'clip' && { '00181063': { vr: 'DS', Value: [40] }, '00280009': { vr: 'AT', Value: ['00181063'] } }),
      ...regionsOf({ box: [0, 0, SIZE.width - 1, SIZE.height - 1], delta: [0.02, 0.02] }),
    },
  });
  return { uid, series, sopClass, bytes };
}
