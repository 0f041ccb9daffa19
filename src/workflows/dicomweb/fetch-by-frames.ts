import { type DicomElement, type DicomElements, decimalString, loadJpegLsEncoder, writePackedDicom } from '../../dicom/index.js';
import {
  type DicomWebClient,
  itemsOf,
  type JsonDataSet,
  type SentFrame,
  type StudyInstance,
  textOf,
} from '../../dicomweb/index.js';
import { EXPLICIT, packingOf } from '../../imaging/index.js';
import { DataError } from '../../util/index.js';

/** Frames asked for in one request. */
const AT_ONCE = 16;

const JPEG_LS = '1.2.840.10008.1.2.4.80';

/** Colours of native samples that mean the same after compression without losses. */
const PLAIN_COLOURS = ['MONOCHROME1', 'MONOCHROME2', 'RGB'];

/** Binary values, which metadata do not have. */
const BINARY = ['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'UN'];

/**
 * Fetches an instance that is too large as a whole: its metadata, then its frames, a few at a time. Compressed frames are written as
 * they come, others compressed without losses (JPEG-LS). The file has the elements of the instance but private and binary ones, and
 * texts in UTF-8.
 *
 * @throws DataError when it cannot be put together so, or is too large in this form too; DicomWebError as the client does.
 */
export async function fetchByFrames(client: DicomWebClient, instance: StudyInstance, path: string): Promise<void> {
  const where = `instance ${instance.uid}`;
  const set = await client.metadata(instance);
  if ((textOf(set, '00280004') ?? '').startsWith('PALETTE'))
    throw unusable(where, 'its colours are in a palette, which metadata do not have');
  const opening = await client.frames(instance, numbersFrom(1, instance));
  const sent = opening[0]?.transferSyntax;
  if (sent === undefined) throw new RangeError('fetchByFrames: no frame');
  const native = sent === EXPLICIT;
  if (!native && packingOf(sent, where) === 'native') throw unusable(where, `its frames have the transfer syntax ${sent}`);
  const compress = native ? await compressor(set, where) : undefined;
  const written = function* (group: readonly SentFrame[]) {
    for (const { transferSyntax, bytes } of group) {
      if (transferSyntax !== sent) throw unusable(where, `its frames come as ${sent} and as ${transferSyntax}`);
      yield compress === undefined ? bytes : compress(bytes);
    }
  };
  const frames = async function* () {
    // Not kept while others are fetched.
    yield* written(opening.splice(0));
    for (let from = 1 + AT_ONCE; from <= instance.frames; from += AT_ONCE)
      yield* written(await client.frames(instance, numbersFrom(from, instance)));
  };
  const elements = { ...elementsOf(set), '00080005': { vr: 'CS', Value: ['ISO_IR 192'] } };
  const sopClass = textOf(set, '00080016') ?? '';
  const transferSyntax = native ? JPEG_LS : sent;
  const { mostBytes } = client;
  await writePackedDicom(
    path,
    { sopClass, sopInstance: instance.uid, elements, transferSyntax, frames: frames(), mostBytes },
    where,
  );
}

/** The numbers of the frames of one request. */
function numbersFrom(from: number, { frames }: StudyInstance): number[] {
  return Array.from({ length: Math.min(AT_ONCE, frames - from + 1) }, (_, i) => from + i);
}

/** Compresses native frames. @throws DataError for colours and samples whose compression would change what they mean. */
async function compressor(set: JsonDataSet, where: string): Promise<(bytes: Uint8Array) => Uint8Array> {
  const number = (tag: string) => Number(textOf(set, tag) ?? Number.NaN);
  const [height, width, allocated, bitsStored] = ['00280010', '00280011', '00280100', '00280101'].map(number) as [
    number,
    number,
    number,
    number,
  ];
  const samples = number('00280002');
  const colours = textOf(set, '00280004') ?? '';
  const plain =
    PLAIN_COLOURS.includes(colours) &&
    number('00280103') === 0 &&
    (samples === 1 || number('00280006') === 0) &&
    number('00280102') === bitsStored - 1;
  if (!plain)
    throw unusable(where, `its frames come uncompressed as ${colours || '(no colours)'}, in a form that is not compressed here`);
  const encode = await loadJpegLsEncoder();
  const wanted = width * height * samples * (allocated / 8);
  return (bytes) => {
    if (bytes.length < wanted || bytes.length > wanted + 1)
      throw unusable(where, `a frame has ${bytes.length} bytes, not ${wanted}`);
    return encode({ width, height, bitsStored, samples, bytes: bytes.subarray(0, wanted) });
  };
}

/** Metadata as elements of a file. */
function elementsOf(set: JsonDataSet): DicomElements {
  const kept = Object.entries(set).flatMap(([tag, { vr = 'UN', Value = [] }]): [string, DicomElement][] => {
    const group = Number.parseInt(tag.slice(0, 4), 16);
    if (group === 2 || group === 0x7fe0 || group % 2 === 1 || BINARY.includes(vr)) return [];
    if (vr === 'SQ') return [[tag, { vr, Value: itemsOf(set, tag).map(elementsOf) }]];
    return [[tag, { vr, Value: Value.map((value) => fileValue(vr, value)) }]];
  });
  return Object.fromEntries(kept);
}

/** JSON has numbers where files have their text. */
function fileValue(vr: string, value: unknown): DicomElement['Value'][number] {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return vr === 'DS' ? decimalString(value) : vr === 'IS' ? String(value) : value;
  return value as DicomElement['Value'][number];
}

function unusable(where: string, what: string): DataError {
  return new DataError({
    code: 'E_FILE_TOO_LARGE',
    where,
    what: `it is too large to be fetched as a whole, and ${what}`,
    fix: 'Divide the clip, or export it compressed',
  });
}
