import { createHash } from 'node:crypto';
import { mkdir, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { beginsAsDicom, isDicomName, readImageFile } from '../imaging/index.js';
import { DataError, type ErrorCode, isInside, SonogroundError, UsageError, writeFileAtomic } from '../util/index.js';
import { deidentifyDicom } from './deidentify-dicom.js';
import { deidentifyImage } from './deidentify-image.js';
import type { BlankBox, FileJob, WrittenFile } from './job.js';
import { readOrMakeKey } from './key-file.js';
import { listFiles } from './list-files.js';
import { readProfile } from './profile.js';
import { Pseudonyms } from './pseudonyms.js';
import { type DeidentifyReport, ReportWriter } from './report.js';

interface DeidentifyOptions {
  /** Folder of the originals, which is only read. */
  readonly from: string;
  /** Folder of the outputs: missing or empty. */
  readonly to: string;
  /** Folder of the report: missing or empty, outside of `to`. Default: `to` with `-report` appended. */
  readonly report?: string | undefined;
  /** Key of pseudonyms, made if missing. Default: a key for this run alone. */
  readonly key?: string | undefined;
  /** File for the names of originals and outputs. Default: they are not written anywhere. */
  readonly map?: string | undefined;
  readonly dates?: 'remove' | 'shift';
  /** Boxes to blank in all images. */
  readonly blank?: readonly BlankBox[];
  readonly onProgress?: (done: number, total: number, file: string) => void;
}

/** A file without output. */
interface RefusedFile {
  readonly file: string;
  readonly code: ErrorCode | 'unexpected';
  readonly what: string;
}

interface DeidentifyResult {
  readonly report: DeidentifyReport;
  /** Path of the report's first page. */
  readonly page: string;
  readonly refused: readonly RefusedFile[];
}

/**
 * De-identifies all images of a folder: pixels outside of the scan and text in it are blanked, headers are rewritten. Files that
 * cannot be de-identified are listed, never copied.
 *
 * @throws UsageError for folders that hold something already or lie in each other; DataError for a broken key file.
 */
export async function deidentifyFolder(options: DeidentifyOptions): Promise<DeidentifyResult> {
  const { from, to, dates = 'remove', blank = [], onProgress } = options;
  const reportFolder = options.report ?? `${resolve(to)}-report`;
  await checkPlaces(options, reportFolder);
  const { files, hidden } = await listFiles(from);
  if (files.length === 0)
    throw new UsageError({ code: 'E_NO_IMAGES', where: from, what: 'there is no file in it', fix: 'Check --from' });
  const pseudonyms = new Pseudonyms(options.key === undefined ? undefined : await readOrMakeKey(options.key));
  const profile = await readProfile();
  const writer = new ReportWriter(reportFolder);
  const refused: RefusedFile[] = [];
  const refusedAt: DeidentifyReport['refused'][number][] = [];
  const map: { readonly source: string; readonly outputs: readonly string[]; readonly refused?: string }[] = [];
  await mkdir(to, { recursive: true });
  for (const [i, file] of files.entries()) {
    onProgress?.(i, files.length, file);
    const folder = dirname(file);
    const job = {
      source: join(from, file),
      to,
      folder: folder === '.' ? '' : pseudonyms.name('folder', folder),
      pseudonyms,
      profile,
      dates,
      blank,
    };
    try {
      const written = await deidentifyFile(job, file);
      for (const one of written) await writer.add(one);
      map.push({ source: file, outputs: written.map(({ path }) => path) });
    } catch (error) {
      if (!isOfFile(error)) throw error;
      const code = error instanceof SonogroundError ? error.code : 'unexpected';
      refused.push({ file: join(from, file), code, what: error instanceof SonogroundError ? error.what : String(error) });
      refusedAt.push({ file: i, code });
      map.push({ source: file, outputs: [], refused: code });
    }
  }
  onProgress?.(files.length, files.length, '');
  const report = reportOf(writer, { dates, edition: profile.edition, files: files.length, hidden, refused: refusedAt });
  const page = await writer.finish(report, summaryOf(report));
  if (options.map !== undefined) await writeFileAtomic(options.map, `${JSON.stringify(map, null, 2)}\n`);
  return { report, page, refused };
}

/** Whether an error concerns one file, like those of decoders. Those of the disk end the run. */
function isOfFile(error: unknown): boolean {
  return error instanceof DataError || !(error instanceof SonogroundError);
}

async function deidentifyFile(job: Omit<FileJob, 'name'>, file: string): Promise<readonly WrittenFile[]> {
  const bytes = await readImageFile(job.source);
  const content = createHash('sha256').update(bytes).digest('hex');
  const named: FileJob = { ...job, name: job.pseudonyms.name('file', `${file}\0${content}`) };
  if (beginsAsDicom(bytes) || isDicomName(file)) return [await deidentifyDicom(bytes, named)];
  return deidentifyImage(bytes, named);
}

/** Checks that nothing is overwritten and nothing that identifies gets among the outputs. */
async function checkPlaces({ from, to, map, key }: DeidentifyOptions, report: string): Promise<void> {
  const info = await stat(from).catch(() => undefined);
  if (info === undefined)
    throw new UsageError({ code: 'E_FILE_NOT_FOUND', where: from, what: 'there is no such folder', fix: 'Check --from' });
  if (!info.isDirectory())
    throw new UsageError({
      code: 'E_OPTION_VALUE',
      where: from,
      what: 'it is a file',
      fix: 'Name the folder of the originals as --from',
    });
  const [source, target, pages] = [await realPlace(from), await realPlace(to), await realPlace(report)];
  for (const [place, option] of [
    [target, '--to'],
    [pages, '--report'],
  ] as const)
    if (isInside(place, source) || isInside(source, place)) throw inEachOther(place, source, option);
  if (isInside(pages, target) || isInside(target, pages)) throw inEachOther(pages, target, '--report');
  for (const [file, option] of [
    [map, '--map'],
    [key, '--key'],
  ] as const)
    if (file !== undefined && isInside(await realPlace(file), target)) throw inEachOther(file, target, option);
  if (map !== undefined && (await stat(map).catch(() => undefined)) !== undefined)
    throw occupied(map, 'it exists already', '--map');
  for (const [place, option] of [
    [to, '--to'],
    [report, '--report'],
  ] as const) {
    const entries = await readdir(place).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return [];
      throw occupied(place, cause.code === 'ENOTDIR' ? 'it is a file' : `it cannot be read (${cause.code})`, option);
    });
    if (entries.length > 0) throw occupied(place, 'it is not empty', option);
  }
}

/** A path with the links of its existing part resolved. */
async function realPlace(path: string): Promise<string> {
  const full = resolve(path);
  const real = await realpath(full).catch(() => undefined);
  if (real !== undefined) return real;
  const parent = dirname(full);
  return parent === full ? full : join(await realPlace(parent), full.slice(parent.length));
}

function inEachOther(place: string, other: string, option: string): UsageError {
  return new UsageError({
    code: 'E_INPUT_IS_OUTPUT',
    where: place,
    what: `it and ${other} lie in each other`,
    fix: `Choose another ${option}: originals, outputs, and what names originals are kept apart`,
  });
}

function occupied(place: string, what: string, option: string): UsageError {
  return new UsageError({ code: 'E_OUTPUT_EXISTS', where: place, what, fix: `Choose another ${option}, or empty it` });
}

function reportOf(
  { entries }: ReportWriter,
  facts: {
    readonly dates: 'remove' | 'shift';
    readonly edition: string;
    readonly files: number;
    readonly hidden: number;
    readonly refused: DeidentifyReport['refused'];
  },
): DeidentifyReport {
  const { dates, edition, files, hidden, refused } = facts;
  return {
    profile: `DICOM PS3.15 ${edition}, Basic Application Level Confidentiality Profile`,
    dates,
    counts: {
      files,
      written: files - refused.length,
      outputs: entries.length,
      uncertain: entries.filter(({ doubts }) => doubts.length > 0).length,
      refused: refused.length,
      hidden,
    },
    outputs: entries,
    refused,
  };
}

/** The counts in a sentence. */
export function summaryOf({ counts }: DeidentifyReport): string {
  const { files, outputs, uncertain, refused, hidden } = counts;
  return `${files} files: ${outputs} images or clips written, ${uncertain} of them to be looked at, ${refused} files refused${hidden > 0 ? `, ${hidden} hidden files left out` : ''}.`;
}
