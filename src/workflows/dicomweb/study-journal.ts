import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { UsageError, writeFileAtomic } from '../../util/index.js';

/** The folders of a study in an output folder: what was fetched, and what is stored. */
export const studyFolders = { instances: 'instances', results: 'dicom' } as const;

const FILE = 'dicomweb.json';

const schema = z.object({
  version: z.literal(1),
  archive: z.string(),
  study: z.string(),
  /** By SOP Instance UID: objects that the archive has confirmed. */
  stored: z.record(z.string(), z.object({ label: z.string(), of: z.string() })),
});

/** Which study an output folder belongs to. */
type Place = Pick<z.infer<typeof schema>, 'archive' | 'study'>;

/**
 * Which objects an archive has confirmed, in `dicomweb.json`. Objects that are sent and not confirmed are not in it: the archive is
 * asked for them, by UIDs that the same results always have. So a run may stop at any moment, and lose the file.
 */
export class StudyJournal {
  private constructor(
    private readonly out: string,
    private readonly place: Place,
    private readonly stored: Record<string, { readonly label: string; readonly of: string }>,
  ) {}

  /** @throws UsageError when the folder holds results of another study or archive. */
  static async open(out: string, place: Place): Promise<StudyJournal> {
    const text = await readFile(join(out, FILE), 'utf8').catch(() => 'null');
    const parsed = schema.safeParse(parse(text));
    if (!parsed.success) return new StudyJournal(out, place, {});
    const { archive, study, stored } = parsed.data;
    if (archive === place.archive && study === place.study) return new StudyJournal(out, place, stored);
    throw new UsageError({
      code: 'E_OUTPUT_EXISTS',
      where: out,
      what: `it holds results of the study ${study} of ${archive}`,
      fix: 'Choose another --out',
    });
  }

  has(uid: string): boolean {
    return Object.hasOwn(this.stored, uid);
  }

  /** @param of - the instance that was segmented. */
  async confirm(objects: readonly { readonly uid: string; readonly label: string }[], of: string): Promise<void> {
    for (const { uid, label } of objects) this.stored[uid] = { label, of };
    await this.write();
  }

  /** Writes the file, also without objects: it says whose results the folder holds. */
  async write(): Promise<void> {
    const content: z.infer<typeof schema> = { version: 1, ...this.place, stored: this.stored };
    await writeFileAtomic(join(this.out, FILE), `${JSON.stringify(content, null, 1)}\n`);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
