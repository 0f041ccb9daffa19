import { basename } from 'node:path';
import { writeFileAtomic } from '../../../util/index.js';
import type { AuditReport, AuditSplit } from '../types.js';
import { Html, html } from './html.js';
import { plainImage, sampleImage, sampleIndices } from './page-images.js';
import {
  countsTable,
  datasetSection,
  groupsSection,
  headline,
  problemsSection,
  type SampleFigure,
  type TwinsFigure,
  twinsSection,
} from './sections.js';
import { STYLE } from './style.js';

/** Pairs shown side by side; the rest are listed by name. */
const PAIRS = 40;

/**
 * Writes an audit as one self-contained page: images are embedded, it runs no script, and its content security policy forbids
 * requests. Of the data it contains file names, phrases and the images themselves.
 */
export async function writeAuditPage(file: string, report: AuditReport, splits: readonly AuditSplit[]): Promise<void> {
  const sections: Html[] = [];
  for (const summary of report.datasets) {
    const own = splits.filter(({ dataset }) => dataset === summary.name);
    sections.push(datasetSection(summary, (await Promise.all(own.map(samplesOf))).flat()));
  }
  const shown: TwinsFigure[] = [];
  // Sequential, so that only a few images are in memory.
  for (const twins of report.duplicates.slice(0, PAIRS))
    shown.push({ twins, a: await plainImage(splits, twins.a), b: await plainImage(splits, twins.b) });
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>Data audit</title><style>${STYLE_TEXT}</style></head><body>
<h1>Data audit</h1>${headline(report)}
<nav><a href="#counts">counts</a><a href="#problems">problems (${report.problems.length})</a><a href="#groups">shared patients (${report.groups.length})</a><a href="#duplicates">duplicate images (${report.duplicates.length})</a></nav>
${countsTable(report)}
${problemsSection(report.problems)}
${groupsSection(report.groups)}
${twinsSection(report.duplicates.length, shown, report.duplicates.slice(PAIRS))}
${sections}
</body></html>
`;
  await writeFileAtomic(file, page.text);
}

const STYLE_TEXT = new Html(STYLE);

async function samplesOf(split: AuditSplit): Promise<SampleFigure[]> {
  const figures: SampleFigure[] = [];
  for (const index of sampleIndices(split.data.size)) {
    const name = split.data.source?.(index)?.files[0];
    figures.push({
      split: split.split,
      caption: name === undefined ? `${split.dataset} ${index}` : basename(name),
      image: await sampleImage(split, index),
    });
  }
  return figures;
}
