import { join } from 'node:path';
import { type ErrorCode, writeFileAtomic } from '../util/index.js';
import type { FileEntry } from './file-entry.js';
import type { WrittenFile } from './job.js';
import { type Figure, figureOf } from './page/figures.js';
import { type PageEntry, reportPage } from './page/page.js';

/** The whole of `report.json`. */
export interface DeidentifyReport {
  readonly profile: string;
  readonly dates: 'remove' | 'shift';
  readonly counts: {
    readonly files: number;
    readonly written: number;
    readonly outputs: number;
    readonly uncertain: number;
    readonly refused: number;
    readonly hidden: number;
  };
  readonly outputs: readonly FileEntry[];
  /** Files without output: their position in the order of processing, and the code of the reason. */
  readonly refused: readonly { readonly file: number; readonly code: ErrorCode | 'unexpected' }[];
}

/** Figures kept on one page. */
const PER_PAGE = 60;

/** Collects the report while files are written. */
export class ReportWriter {
  readonly entries: FileEntry[] = [];
  private readonly folder: string;
  private readonly uncertain: PageEntry[] = [];
  private readonly certain: PageEntry[] = [];

  constructor(folder: string) {
    this.folder = folder;
  }

  async add(file: WrittenFile): Promise<void> {
    const entry = entryOf(file);
    this.entries.push(entry);
    const figure: Figure = await figureOf(file);
    (entry.doubts.length > 0 ? this.uncertain : this.certain).push({ entry, figure });
  }

  /** Writes `report.json` and the pages, uncertain files first. Returns the path of the first page. */
  async finish(report: DeidentifyReport, summary: string): Promise<string> {
    const all = [...this.uncertain, ...this.certain];
    const pages = Math.max(1, Math.ceil(all.length / PER_PAGE));
    const name = (page: number) => (page === 1 ? 'report.html' : `report-${page}.html`);
    for (let page = 1; page <= pages; page++) {
      const entries = all.slice((page - 1) * PER_PAGE, page * PER_PAGE);
      await writeFileAtomic(join(this.folder, name(page)), reportPage(entries, summary, { page, pages, name }));
    }
    await writeFileAtomic(join(this.folder, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
    return join(this.folder, name(1));
  }
}

function entryOf({ path, kind, frames, looked, plan, removed }: WrittenFile): FileEntry {
  return {
    output: path,
    kind,
    frames,
    framesSearched: looked,
    region: { source: plan.region.source, share: Math.round(plan.region.share * 1000) / 1000 },
    text: plan.text.map(({ x0, y0, x1, y1, uncertain }) => ({ box: [x0, y0, x1, y1], uncertain })),
    doubts: plan.doubts,
    ...(removed === undefined ? {} : { removed }),
  };
}
