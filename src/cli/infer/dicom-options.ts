import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readOrMakeKey } from '../../deidentify/index.js';
import {
  keptIdentity,
  readPhraseCodes,
  replacedIdentity,
  type SegmentationForm,
  segmentationForms,
} from '../../evidence/index.js';
import type { EvidenceSettings, EvidenceSummary } from '../../infer/index.js';
import { PromptTokenizer } from '../../prompts/index.js';
import { shown, UsageError } from '../../util/index.js';
import { consoleLogger } from '../console-logger.js';
import { packageVersion } from '../package-version.js';

/** Options for results in DICOM. */
export interface DicomOptions {
  dicom: boolean | undefined;
  dicomForm: SegmentationForm | undefined;
  keepIdentity: boolean | undefined;
  key: string | undefined;
  codes: string[] | undefined;
}

/** The same as yargs describes them. */
export const dicomOptions = {
  dicom: {
    type: 'boolean',
    describe: 'for DICOM images and clips, also write a segmentation (SEG) and a report of the measures (SR) into OUT/dicom',
  },
  'dicom-form': {
    choices: segmentationForms,
    describe: 'with --dicom: a bit plane for each object, or one plane of numbers, in which none may overlap; default: binary',
  },
  'keep-identity': {
    type: 'boolean',
    describe:
      'with --dicom: copy patient and study from the images, so that results join their studies; default: new UIDs, empty fields',
  },
  key: {
    type: 'string',
    describe:
      'with --dicom: file of the key for new UIDs; that of deidentify, to refer to the images that it wrote; default: OUT/dicom.key',
  },
  codes: {
    type: 'string',
    array: true,
    describe:
      'with --dicom: YAML tables of codes of phrases, before that which comes with sonoground (configs/codes/ultrasound.yaml)',
  },
} as const;

/** The file of the key in an output folder, which must not be passed on with `dicom/`. */
const KEY = 'dicom.key';

/**
 * The settings that the options ask for, with a notice for each phrase without a code.
 *
 * @param out - output folder, in which the key is kept unless the options name one.
 * @throws UsageError for options that need --dicom, or contradict each other.
 */
export async function evidenceOf(
  { dicom, dicomForm, keepIdentity, key, codes: tables = [] }: DicomOptions,
  out: string,
  prompts: readonly string[],
): Promise<EvidenceSettings | undefined> {
  if (!dicom) {
    const others = { 'dicom-form': dicomForm, 'keep-identity': keepIdentity || undefined, key, codes: tables[0] };
    const [other] = Object.entries(others).find(([, value]) => value !== undefined) ?? [];
    if (other === undefined) return undefined;
    throw conflict(`--${other}`, 'it is for --dicom', 'Add --dicom, or leave it out');
  }
  if (keepIdentity && key !== undefined)
    throw conflict('--key', 'with --keep-identity, no UID of the source is replaced', 'Leave one of them out');
  const codes = await readPhraseCodes(...tables);
  for (const phrase of prompts.flatMap((prompt) => PromptTokenizer.parsePrompt(prompt)))
    if (!codes.meaningOf(phrase).known)
      consoleLogger.warn(
        `no code is known for ${shown(phrase)}: DICOM files have a private one (99SONOGROUND) with the phrase as its meaning; add it with --codes`,
      );
  return {
    form: dicomForm ?? 'binary',
    identity: keepIdentity ? keptIdentity() : replacedIdentity(await keyOf(key, out)),
    codes,
    version: await packageVersion(),
  };
}

async function keyOf(key: string | undefined, out: string): Promise<Uint8Array> {
  if (key !== undefined) return readOrMakeKey(key);
  await mkdir(out, { recursive: true });
  return readOrMakeKey(join(out, KEY));
}

/** @throws UsageError for options that do not go with --dicom. */
export function refuseWithDicom({
  dicom,
  masker,
  shard,
}: {
  readonly dicom: boolean | undefined;
  readonly masker: string | undefined;
  readonly shard: string | undefined;
}): void {
  if (!dicom) return;
  if (masker === 'none') throw conflict('--dicom', 'boxes without masks are no segmentation', 'Leave out --masker none');
  if (shard !== undefined)
    throw conflict(
      '--dicom',
      'the frames of a file may lie in several shards',
      'Leave out --shard, or divide the images by folders',
    );
}

/** Prints what was written. */
export function reportEvidence(evidence: EvidenceSummary | undefined, out: string, keepIdentity: boolean | undefined): void {
  if (evidence === undefined) return;
  const { written, without, others, bad, notices } = evidence;
  const rest = [
    ...(without === 0 ? [] : [`nothing was found in ${without} further DICOM files`]),
    ...(others === 0 ? [] : [`${others} images are of other formats`]),
  ];
  consoleLogger.info([`${written} segmentations and reports: ${join(out, 'dicom')}`, ...rest].join('; '));
  if (written > 0 && !keepIdentity)
    consoleLogger.info(
      'they name no patient and are in studies of their own; --keep-identity writes them into those of the images',
    );
  for (const message of [...notices, ...bad]) consoleLogger.warn(message);
}

function conflict(where: string, what: string, fix: string): UsageError {
  return new UsageError({ code: 'E_OPTION_CONFLICT', where, what, fix });
}
