import { foldImages, type TargetRow } from '../../protocols/index.js';
import { counted, escapeHtml } from '../../util/index.js';
import { colouredPhrases, type Example } from '../gallery/examples.js';
import type { PresenceSummary } from '../presence/presence-summary.js';
import type { StructureRobustness } from '../robustness/robustness-summary.js';
import type { Table } from '../tables/table.js';
import type { TrustedRow } from '../trust/trust-rows.js';
import type { TrustSummary } from '../trust/trust-summary.js';
import { countBins, histogram, lineChart, spreadChart } from './charts.js';
import { galleryCard, phraseKey } from './gallery-html.js';
import { htmlTable, section } from './html.js';
import { SCRIPT, STYLE } from './look.js';
import { measuresSection } from './measures-section.js';
import type { TrainingCurve } from './training-curves.js';

/** A highlighted figure. */
export interface HeadlineFigure {
  readonly label: string;
  readonly value: string;
  /** Small print below it. */
  readonly small: string;
}

/** Rows whose scores are plotted, by dataset. */
interface RowGroup {
  /** Distinguishes these rows from others of the same dataset; empty if there are none. */
  readonly name: string;
  readonly rows: readonly TargetRow[];
}

/** Content of the page. */
export interface PageData {
  readonly title: string;
  /** Models, data and prompts of the evaluation, one line each. */
  readonly facts: readonly string[];
  readonly warnings: readonly string[];
  /** Highlighted figures above the tables. */
  readonly figures: readonly HeadlineFigure[];
  readonly tables: readonly Table[];
  readonly curves: readonly TrainingCurve[];
  /** Strict rows; the page's main subject is the last group. */
  readonly groups: readonly RowGroup[];
  /** If absent, the section is omitted. */
  readonly presence?: PresenceSummary | undefined;
  readonly trust?: TrustMaterial | undefined;
  readonly robustness?: readonly StructureRobustness[];
  /** Worst first. */
  readonly examples: AsyncIterable<Example>;
  /** Number of images from which the examples were selected. */
  readonly images: number;
}

/** Reliability of the predicted quality, and the review list. */
export interface TrustMaterial {
  readonly summary: TrustSummary;
  readonly rows: readonly TrustedRow[];
  readonly review: Table;
}

/** Bins of a distribution: 5 points of DSC each. */
const BINS = 20;

/** Rows of the review list on the page; the file has all. */
const REVIEWED = 50;

/**
 * Renders a self-contained HTML file; its content security policy forbids every request.
 *
 * It embeds the images that it shows, so it is as confidential as they are.
 */
export async function evaluationPage(data: PageData): Promise<string> {
  const phrases = colouredPhrases(data.groups.flatMap(({ rows }) => rows));
  const cards: string[] = [];
  for await (const example of data.examples) cards.push(await galleryCard(example, phrases));
  const sections = [
    section('scores', 'Scores', headline(data.figures) + data.tables.slice(0, 1).map(htmlTable).join('')),
    section('distributions', 'Distributions', distributions(data.groups)),
    ...(data.tables.length > 1 ? [section('tables', 'Tables', data.tables.slice(1).map(htmlTable).join(''))] : []),
    ...(data.curves.length > 0 ? [section('training', 'Training', curves(data.curves))] : []),
    ...measuresSection(data.groups.at(-1)?.rows ?? []),
    ...wordsSection(data.robustness ?? []),
    ...presenceSection(data.presence),
    ...trustSection(data.trust),
    section('images', 'Images', gallery(cards, phrases, data)),
  ];
  const links = sections.map((html) => /^<section id="(\w+)"><h2>([^<]*)/.exec(html)).flatMap((found) => found ?? []);
  const nav = Array.from({ length: links.length / 3 }, (_, k) => `<a href="#${links[3 * k + 1]}">${links[3 * k + 2]}</a>`).join(
    '',
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<link rel="icon" href="data:,">
<title>${escapeHtml(data.title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escapeHtml(data.title)}</h1>
${data.facts.map((fact) => `<p class="note" style="margin:.1rem 0">${escapeHtml(fact)}</p>`).join('\n')}
<p class="note">This file contains images. It makes no network requests. For research; not a medical device.</p>
${data.warnings.map((warning) => `<p class="warn">${escapeHtml(warning)}</p>`).join('\n')}
<nav>${nav}</nav>
${sections.join('\n')}
</main>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

function headline(figures: readonly HeadlineFigure[]): string {
  const cards = figures.map(
    ({ label, value, small }) => `<div>${escapeHtml(label)}<b>${escapeHtml(value)}</b><small>${escapeHtml(small)}</small></div>`,
  );
  return `<div class="figures">${cards.join('')}</div>`;
}

function distributions(groups: readonly RowGroup[]): string {
  const images = groups.map(({ name, rows }) => ({ name, scores: foldImages(rows) }));
  const datasets = [...new Set(images.flatMap(({ scores }) => scores.map(({ dataset }) => dataset)))];
  const charts = datasets.flatMap((dataset) => {
    const sets = images.map(({ name, scores }) => ({
      name,
      values: scores.filter((image) => image.dataset === dataset).map(({ dsc }) => 100 * dsc),
    }));
    // A common scale makes adjacent charts comparable.
    const top = Math.max(1, ...sets.flatMap(({ values }) => countBins(values, BINS, [0, 100])));
    return sets.map(({ name, values }) => {
      const title = `${dataset}${name === '' ? '' : `, ${name}`}: strict DSC of ${counted(values.length, 'image')}`;
      return histogram(values, BINS, [0, 100], { title, x: 'DSC, percent', y: 'images', yDomain: [0, top] });
    });
  });
  const found = (groups.at(-1)?.rows ?? []).filter((row) => row.shown && !row.falseNegative);
  const scatter = lineChart(
    [{ label: 'targets', kind: 'dots', points: found.map((row) => [row.detectorScore, 100 * row.dsc]) }],
    {
      title: 'Detector score and DSC of detections',
      x: 'detector score',
      y: 'DSC, percent',
      xDomain: [0, 1],
      yDomain: [0, 100],
    },
  );
  return `<div class="charts">${charts.join('')}${scatter}</div>`;
}

function curves(all: readonly TrainingCurve[]): string {
  return `<div class="charts">${all.map(({ name, series }) => lineChart(series, { title: name, x: 'epoch', y: 'loss', counted: 'x' })).join('')}</div>`;
}

function wordsSection(robustness: readonly StructureRobustness[]): string[] {
  if (robustness.length === 0) return [];
  const several = new Set(robustness.map(({ dataset }) => dataset)).size > 1;
  const rows = robustness.map(({ dataset, structure, wordings, consistency, spread }) => ({
    label: several ? `${dataset}: ${structure}` : structure,
    remark: `consistency ${consistency?.toFixed(0) ?? '–'}, spread ${spread?.toFixed(0) ?? '–'}`,
    values: wordings.flatMap(({ wording, dsc }) => (dsc === null ? [] : [{ label: wording, value: dsc }])),
  }));
  const chart = spreadChart(rows, [0, 100], { title: 'Mean DSC under each wording', x: 'DSC, percent', y: '' });
  return [section('words', 'Words', `<div class="charts">${chart}</div>`)];
}

function presenceSection(presence: PresenceSummary | undefined): string[] {
  if (presence === undefined || presence.absent === 0 || presence.present === 0) return [];
  const points = presence.roc.map(({ falsePositiveRate, detectionRate }) => [falsePositiveRate, detectionRate] as const);
  const chart = lineChart(
    [
      { label: `AUC ${presence.auc?.toFixed(3) ?? '–'}`, points },
      {
        label: 'chance',
        kind: 'guide',
        points: [
          [0, 0],
          [1, 1],
        ],
      },
    ],
    { title: 'ROC curve', x: 'false-positive rate', y: 'detection rate', xDomain: [0, 1], yDomain: [0, 1] },
  );
  const rows = Object.entries(presence.perPhrase).map(([phrase, { present, absent, auc }]) => ({
    cells: [phrase, present, absent, auc === null ? null : auc.toFixed(3)],
  }));
  const table: Table = { id: 'presence', title: 'By phrase', columns: ['phrase', 'present', 'absent', 'AUC'], rows, notes: [] };
  return [section('presence', 'Absent structures', `<div class="charts">${chart}<div>${htmlTable(table)}</div></div>`)];
}

function trustSection(material: TrustMaterial | undefined): string[] {
  if (material === undefined || material.summary.n === 0) return [];
  const { summary: trust, rows, review } = material;
  const guide = {
    label: 'perfect',
    kind: 'guide',
    points: [
      [0, 0],
      [100, 100],
    ],
  } as const;
  const axes = { x: 'predicted quality, percent', y: 'DSC, percent', xDomain: [0, 100], yDomain: [0, 100] } as const;
  const bins = trust.bins
    .filter(({ n }) => n > 0)
    .map(({ predicted, dsc }) => [predicted ?? Number.NaN, dsc ?? Number.NaN] as const);
  const dots = rows.flatMap((row) =>
    row.shown && !row.falseNegative ? [[100 * row.predictedQuality, 100 * row.dsc] as const] : [],
  );
  const known = Object.entries(trust.spearman).filter(([, value]) => value !== null);
  const names: Readonly<Record<string, string>> = {
    predictedQuality: 'predicted quality',
    maskerScore: 'masker’s own estimate',
    flipAgreement: 'agreement with the mirrored image',
    wordingAgreement: 'agreement with other wordings',
  };
  const list = known.map(([name, value]) => `${names[name] ?? name} ${value?.toFixed(2)}`).join(', ');
  const short = htmlTable({ ...review, rows: review.rows.slice(0, REVIEWED) });
  return [
    section(
      'trust',
      'Predicted mask quality',
      `<p>Over the ${trust.n} targets with a detection. Rank correlation with the true DSC: ${escapeHtml(list)}. Calibration error ${trust.calibrationError?.toFixed(1) ?? '–'} points.</p><div class="charts">${lineChart([{ label: 'targets', kind: 'dots', points: dots }, guide], { title: 'Predicted quality and true DSC', ...axes })}${lineChart([{ label: 'bins', points: bins }, guide], { title: 'Calibration', ...axes })}</div>${short}`,
    ),
  ];
}

function gallery(cards: readonly string[], phrases: readonly string[], { images, groups }: PageData): string {
  const datasets = [...new Set(groups.flatMap(({ rows }) => rows.map(({ dataset }) => dataset)))];
  const options = datasets.map((name) => `<option>${escapeHtml(name)}</option>`).join('');
  const note =
    cards.length < images
      ? `<p class="note">${cards.length} of ${images} images, evenly spaced in order of DSC; per-image.csv lists all.</p>`
      : '';
  const legend = phrases.map((phrase) => phraseKey(phrase, phrases)).join(' ');
  return `${note}<p class="legend">${legend}</p><div class="controls"><label>find <input id="f-text" type="search" placeholder="name, patient, prompt"></label><label>dataset <select id="f-dataset"><option value="">all</option>${options}</select></label><label>DSC from <input id="f-low" type="number" min="0" max="100" inputmode="numeric"></label><label>to <input id="f-high" type="number" min="0" max="100" inputmode="numeric"></label><label><input id="f-false-negative" type="checkbox"> false negatives</label><label><select id="f-sort"><option value="worst">worst first</option><option value="best">best first</option></select></label><output id="f-count"></output></div>
<div class="gallery">${cards.join('\n')}</div>`;
}
