import { nearest, UsageError } from '../../util/index.js';
import type { AboutModel } from './known-models.js';

/** A file outside of the hub: an asset of a GitHub release, or a file on Google Drive. */
export type FileSource =
  | { readonly kind: 'github'; readonly repo: string; readonly tag: string; readonly file: string }
  | { readonly kind: 'gdrive'; readonly id: string; readonly file: string };

/** A file outside of the hub with a short name. */
export interface KnownFile {
  readonly source: FileSource;
  /** SHA-256 of its content, if it was published. */
  readonly sha256?: string;
  readonly about: AboutModel;
}

/** Short names of files outside of the hub. */
export const knownFiles: Readonly<Record<string, KnownFile>> = {
  universeg: {
    source: { kind: 'github', repo: 'JJGO/UniverSeg', tag: 'weights', file: 'universeg_v1_nf64_ss64_STA.pt' },
    about: {
      parameters: '1.2 M',
      licence: 'OpenRAIL++-M',
      trainedOn: 'MegaMedical',
      restricted: 'research only',
    },
  },
  samus: {
    source: { kind: 'gdrive', id: '1nQjMAvbPeolNpCxQyU_HTiOiB5704pkH', file: 'samus.pth' },
    about: { parameters: '133 M', licence: 'not stated', trainedOn: 'US30K: TN3K, TG3K, BUSI, CAMUS' },
  },
  'medclip-samv2-biomedclip': {
    source: { kind: 'gdrive', id: '1jjnZabUlc9_gpcP0d2nz_GNS-EGX0lq5', file: 'pytorch_model.bin' },
    about: {
      parameters: '196 M',
      licence: 'not stated',
      trainedOn: 'PMC-15M as biomedclip, whose tokenizer it needs, then MedPix',
    },
  },
};

const GITHUB = /^github:([A-Za-z0-9_.-]+\/[A-Za-z0-9_.-]+)@([A-Za-z0-9_.-]+)\/([A-Za-z0-9_.-]+)$/;
const GDRIVE = /^gdrive:([A-Za-z0-9_-]{10,})\/([A-Za-z0-9_.-]+)$/;

/**
 * The file that a name means: a short name, `github:OWNER/REPO@TAG/FILE` or `gdrive:ID/FILE`.
 *
 * @returns undefined when the name is not of a file outside of the hub.
 * @throws UsageError when it begins like one and is none.
 */
export function parseFileName(label: string): (Omit<KnownFile, 'about'> & { readonly about?: AboutModel }) | undefined {
  if (Object.hasOwn(knownFiles, label)) return knownFiles[label];
  if (!/^(github|gdrive):/.test(label)) return undefined;
  const [, repo, tag, asset] = GITHUB.exec(label) ?? [];
  if (repo !== undefined && tag !== undefined && asset !== undefined && [repo, tag, asset].every(isPlain))
    return { source: { kind: 'github', repo, tag, file: asset } };
  const [, id, file] = GDRIVE.exec(label) ?? [];
  if (id !== undefined && file !== undefined && isPlain(file)) return { source: { kind: 'gdrive', id, file } };
  const near = nearest(label, Object.keys(knownFiles));
  throw new UsageError({
    code: 'E_MODEL_NAME',
    where: label,
    what: `expected github:OWNER/REPO@TAG/FILE or gdrive:ID/FILE${near === undefined ? '' : `, or ${near}`}`,
    fix: 'Copy the parts from the address of the file',
  });
}

/** Whether a part of a path stays where it is. */
function isPlain(part: string): boolean {
  return part.split('/').every((step) => !/^\.+$/.test(step));
}

/** The folder of a file in the cache, unique to its source. */
export function folderName(source: FileSource): string {
  const parts = source.kind === 'github' ? [source.repo, source.tag] : [source.id];
  return ['files', source.kind, ...parts].join('--').replaceAll('/', '--');
}
