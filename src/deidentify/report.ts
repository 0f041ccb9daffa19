import { join } from 'node:path';
import { type ErrorCode, writeFileAtomic } from '../util/index.js';
import type { FileEntry } from './file-entry.js';
import type { WrittenFile } from './job.js';
import { figureOf } from './page/figures.js';
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

/** Images on one page: a browser shows so many at once, and so many are held in memory. */
const PER_PAGE = 60;

/** Collects the report while files are written. Full pages are written at once; the first page links to them. */
export class ReportWriter {
  readonly entries: FileEntry[] = [];
  private readonly folder: string;
  private readonly waiting: Readonly<Record<Group, PageEntry[]>> = { uncertain: [], certain: [] };
  private readonly pages: string[] = [];

  constructor(folder: string) {
    this.folder = folder;
  }

  async add(file: WrittenFile): Promise<void> {
    const entry = entryOf(file);
    this.entries.push(entry);
    const group = entry.doubts.length > 0 ? 'uncertain' : 'certain';
    const list = this.waiting[group];
    list.push({ entry, figure: await figureOf(file) });
    if (list.length < PER_PAGE) return;
    const page = `report-${group}-${this.pages.length + 1}.html`;
    await writeFileAtomic(join(this.folder, page), reportPage(list.splice(0), '', []));
    this.pages.push(page);
  }

  /** Writes `report.json` and the first page, uncertain files first. Returns the path of that page. */
  async finish(report: DeidentifyReport, summary: string): Promise<string> {
    const first = join(this.folder, 'report.html');
    const entries = [...this.waiting.uncertain, ...this.waiting.certain];
    // Pages of uncertain files before others.
    const links = this.pages.toSorted((a, b) => Number(a.includes('-certain')) - Number(b.includes('-certain')));
    await writeFileAtomic(first, reportPage(entries, summary, links));
    await writeFileAtomic(join(this.folder, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
    return first;
  }
}

type Group = 'uncertain' | 'certain';

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
