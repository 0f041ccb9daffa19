import { createHash } from 'node:crypto';
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type EvidenceOptions,
  encodeReport,
  encodeSegmentation,
  readSourceInstance,
  type SegmentedObject,
} from '../../evidence/index.js';
import { beginsAsDicom, isDicomName, readImageFile } from '../../imaging/index.js';
import { concernsOneFile, DataError, SonogroundError, safeRelative, writeFileAtomic } from '../../util/index.js';
import type { BatchImage } from '../batch/batch-image.js';
import type { BatchSettings, ExemplarSettings } from '../batch/settings.js';
import { algorithmOf, type EvidenceSettings } from './evidence-settings.js';
import { reportedVolumes, type VolumeInPlanes } from './volumes-in-planes.js';

/** Subfolder of the DICOM outputs, and the list of what they were made from. */
const EVIDENCE = 'dicom';
const LIST = 'dicom.json';

/** A DICOM file and what was found in it. */
export interface EvidenceSource {
  readonly where: string;
  readonly fileName: string;
  readonly image: BatchImage;
  /** The frames that were asked for, from 0; undefined for a whole clip. They decide the UIDs too. */
  readonly asked?: readonly number[] | undefined;
  /** What the objects are made from: outputs are written again if it changes. */
  readonly results: unknown;
  /** @param several - whether the file has several frames. */
  objects(several: boolean): readonly SegmentedObject[];
}

/** Result of {@link writeEvidence}. */
export interface EvidenceSummary {
  /** Files with a segmentation and a report, those of earlier calls included. */
  readonly written: number;
  /** DICOM files in which nothing was found. */
  readonly without: number;
  /** Images of other formats. */
  readonly others: number;
  /** One message per file of which nothing could be written. */
  readonly bad: readonly string[];
  /** What files that were written lack, and why. */
  readonly notices: readonly string[];
}

interface EvidenceWriting {
  readonly onBad?: 'stop' | 'skip' | undefined;
  readonly signal?: AbortSignal | undefined;
  /** For the report of the file that shows their first plane. Default: none. */
  readonly volumes?: readonly VolumeInPlanes[] | undefined;
}

interface Listed {
  readonly digest: string;
}

/**
 * Writes a segmentation and a report for each DICOM file: `dicom/NAME.seg.dcm` and `dicom/NAME.sr.dcm` in the output folder. Files
 * that are there from the same results are left.
 *
 * @param key - hash of settings, models and sizes of pixels given by hand. With the codes, the program and the frames that were
 *   asked for, it decides the UIDs.
 */
export async function writeEvidence(
  out: string,
  sources: readonly EvidenceSource[],
  settings: BatchSettings | ExemplarSettings,
  evidence: EvidenceSettings,
  key: string,
  { onBad = 'skip', signal, volumes: all = [] }: EvidenceWriting = {},
): Promise<EvidenceSummary> {
  const { form, identity, codes, version } = evidence;
  const algorithm = algorithmOf(settings, version);
  const before = await readListed(out);
  const listed: Record<string, Listed> = {};
  const names = new Names();
  const [bad, notices]: [string[], string[]] = [[], []];
  let [written, without, others] = [0, 0, 0];
  for (const source of sources) {
    if (signal?.aborted) break;
    const name = names.of(source.fileName);
    const files = [join(out, EVIDENCE, `${name}.seg.dcm`), join(out, EVIDENCE, `${name}.sr.dcm`)] as const;
    const run = hash([key, codes.digest, algorithm, source.asked]);
    // The UID depends on the key of identity, without telling it.
    const own = all.filter(({ planes: [{ where }] }) => where === source.where);
    const digest = hash([source.results, run, form, identity.kept, identity.made('evidence'), own]);
    if (before[name]?.digest === digest && (await allThere(files))) {
      listed[name] = { digest };
      written += 1;
      continue;
    }
    try {
      const bytes = await bytesOf(source, signal);
      if (bytes === undefined) {
        others += 1;
        continue;
      }
      const instance = await readSourceInstance(bytes, source.where, identity);
      const objects = source.objects(instance.multiframe);
      if (objects.length === 0) {
        await Promise.all(files.map((file) => rm(file, { force: true })));
        without += 1;
        continue;
      }
      const options: EvidenceOptions = { source: instance, objects, algorithm, codes, identity, run };
      const segmentation = await encodeSegmentation({ ...options, form });
      const volumes = await reportedVolumes(own, instance, evidence, (plane) => bytesOf(plane, signal));
      if (typeof volumes === 'string') notices.push(volumes);
      const report = await encodeReport({ ...options, segmentation, volumes: typeof volumes === 'string' ? [] : volumes });
      await writeFileAtomic(files[0], segmentation.bytes);
      await writeFileAtomic(files[1], report.bytes);
      listed[name] = { digest };
      written += 1;
    } catch (error) {
      if (onBad === 'stop' || !isOfOneFile(error)) throw error;
      await Promise.all(files.map((file) => rm(file, { force: true })));
      bad.push(error.message);
    }
  }
  await writeFileAtomic(join(out, LIST), `${JSON.stringify(listed, null, 1)}\n`);
  return { written, without, others, bad, notices };
}

/** The bytes of a DICOM file; undefined for other formats. */
async function bytesOf(
  { where, image }: Pick<EvidenceSource, 'where' | 'image'>,
  signal: AbortSignal | undefined,
): Promise<Uint8Array | undefined> {
  const bytes = image.source === undefined ? await readImageFile(where) : await image.source.read(signal ?? NEVER);
  return beginsAsDicom(bytes) || isDicomName(where) ? bytes : undefined;
}

const NEVER = new AbortController().signal;

/** Names of outputs: that of the file without ending, unless another file has taken it. */
class Names {
  private readonly taken = new Set<string>();

  of(fileName: string): string {
    const plain = fileName.replace(/\.(dcm|dicom|ima)$/i, '');
    const name = this.taken.has(plain.toLowerCase()) ? fileName : plain;
    this.taken.add(name.toLowerCase());
    return safeRelative(name, 'the name of an image');
  }
}

async function readListed(out: string): Promise<Readonly<Record<string, Listed | undefined>>> {
  try {
    return JSON.parse(await readFile(join(out, LIST), 'utf8')) as Record<string, Listed>;
  } catch {
    return {}; // not there or damaged: everything is written again
  }
}

async function allThere(files: readonly string[]): Promise<boolean> {
  const infos = await Promise.all(files.map((file) => stat(file).catch(() => undefined)));
  return infos.every((info) => info?.isFile());
}

function hash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
}

function isOfOneFile(error: unknown): error is SonogroundError {
  return error instanceof DataError || (error instanceof SonogroundError && concernsOneFile(error));
}
