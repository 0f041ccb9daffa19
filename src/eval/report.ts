import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { printable, writeFileAtomic } from '../util/index.js';
import type { TrivialGuess } from './baseline.js';
import type { TrainingCurve } from './page/training-curves.js';
import type { Score, Summary } from './run-summary.js';

/** One picture of the gallery. */
export interface ReportImage {
  readonly title: string;
  /** PNG bytes of the truth, of the answer before training and of the answer after it. */
  readonly truth: Buffer;
  readonly before: Buffer;
  readonly after: Buffer;
  readonly dscBefore: number;
  readonly dscAfter: number;
}

/** Scores over all images, and those of each dataset. */
export interface RetainedScores extends Score {
  readonly sets: Readonly<Record<string, Score>>;
}

export interface ReportData {
  readonly title: string;
  /** What was done, in a sentence or two. */
  readonly intro: string;
  readonly before: Summary;
  readonly after: Summary;
  readonly trivial: TrivialGuess;
  /** What the models knew before, and know after. */
  readonly retained: { readonly before: RetainedScores; readonly after: RetainedScores };
  readonly curves: readonly TrainingCurve[];
  readonly images: readonly ReportImage[];
}

/** Writes one HTML file that needs nothing else: tables, the loss curve and a gallery. It works offline. */
export async function writeReport(file: string, data: ReportData): Promise<void> {
  await writeFileAtomic(file, await renderReport(data));
}

async function renderReport(data: ReportData): Promise<string> {
  const require = createRequire(import.meta.url);
  const [plotScript, plotStyle] = await Promise.all([
    readFile(require.resolve('uplot/dist/uPlot.iife.min.js'), 'utf8'),
    readFile(require.resolve('uplot/dist/uPlot.min.css'), 'utf8'),
  ]);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(data.title)}</title>
<style>${plotStyle}${STYLE}</style>
<main>
<h1>${escapeHtml(data.title)}</h1>
<p>${escapeHtml(data.intro)}</p>
${headline(data)}
<h2>By structure</h2>
${table(data)}
<p class="note">DSC: overlap of the predicted and the true mask, 100 % is perfect; what was missed counts as 0.
“The same mask” answers with one mask for every image, the best one that the training masks allow.
“From true box” is the DSC when the masker is given the true boxes: what is lost between the two is the detector's.</p>
<h2>What it could do before</h2>
${retainedTable(data.retained)}
<h2>Training</h2>
${data.curves.map(({ name }) => `<h3>${escapeHtml(name)}</h3><div class="curve"></div>`).join('\n')}
<h2>Images</h2>
<p class="note">Sorted by the DSC after training, worst first.</p>
<div class="gallery">${[...data.images]
    .sort((a, b) => a.dscAfter - b.dscAfter)
    .map(figure)
    .join('\n')}</div>
</main>
<script>${plotScript}</script>
<script>
const curves = ${JSON.stringify(data.curves.map(({ series }) => plotted(series)))};
for (const [i, box] of document.querySelectorAll('.curve').entries()) {
const plot = new uPlot({ width: box.clientWidth, height: 260, scales: { x: { time: false } },
  axes: [{ label: 'epoch' }, { label: 'loss' }],
  series: [{ label: 'epoch' }, { label: 'training', stroke: '#0072b2', width: 2 }, { label: 'validation', stroke: '#d55e00', width: 2 }] }, curves[i], box);
addEventListener('resize', () => plot.setSize({ width: box.clientWidth, height: 260 }));
}
</script>
</html>
`;
}

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; } main { max-width: 72rem; margin: 0 auto; padding: 1rem; }
h1 { margin: .5rem 0; } .note { color: GrayText; font-size: .9rem; }
.cards { display: flex; flex-wrap: wrap; gap: 1rem; margin: 1rem 0; }
.card { flex: 1 1 9rem; border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: .5rem; padding: .75rem 1rem; }
.card b { display: block; font-size: 1.9rem; line-height: 1.2; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { padding: .35rem .6rem; text-align: right; border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } tr.total td { font-weight: 700; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 32rem), 1fr)); gap: 1rem; }
figure { margin: 0; } figure div { display: grid; grid-template-columns: repeat(3, 1fr); gap: .25rem; }
figure img { width: 100%; display: block; border-radius: .25rem; } figcaption { font-size: .85rem; }
.curve { background: #fff; color: #000; border-radius: .5rem; padding: .5rem; }
`;

function headline({ before, after, trivial }: ReportData): string {
  const card = (label: string, value: number) => `<div class="card">${label}<b>${value.toFixed(1)} %</b></div>`;
  return `<div class="cards">${card('DSC of the same mask for every image', trivial.dsc)}${card('DSC before', before.dsc)}${card('DSC after', after.dsc)}${card('From true box, after', after.dscGivenTrueBox)}</div>`;
}

function table({ before, after, trivial }: ReportData): string {
  const row = (name: string, guess: number | undefined, b: Score | undefined, a: Score, total = false) =>
    `<tr${total ? ' class="total"' : ''}><td>${escapeHtml(name)}</td><td>${a.n}</td><td>${cell(guess)}</td><td>${cell(b?.dsc)}</td><td>${cell(a.dsc)} ± ${a.std.toFixed(0)}</td><td>${cell(a.iou)}</td><td>${cell(a.boxIou)}</td><td>${cell(a.dscGivenTrueBox)}</td><td>${a.missed}</td></tr>`;
  const rows = Object.entries(after.perStructure).map(([name, score]) =>
    row(name, trivial.perStructure[name], before.perStructure[name], score),
  );
  return `<div class="scroll"><table><thead><tr><th>structure</th><th>n</th><th>the same mask</th><th>DSC before</th><th>DSC after</th><th>IoU after</th><th>box IoU</th><th>from true box</th><th>missed</th></tr></thead>
<tbody>${rows.join('\n')}${row('all', trivial.dsc, before, after, true)}</tbody></table></div>`;
}

function retainedTable({ before, after }: ReportData['retained']): string {
  const row = (name: string, b: Score | undefined, a: Score, total = false) =>
    `<tr${total ? ' class="total"' : ''}><td>${escapeHtml(name)}</td><td>${a.n}</td><td>${cell(b?.dsc)}</td><td>${cell(a.dsc)}</td><td>${cell(b?.boxIou)}</td><td>${cell(a.boxIou)}</td><td>${cell(b?.dscGivenTrueBox)}</td><td>${cell(a.dscGivenTrueBox)}</td></tr>`;
  const rows = Object.entries(after.sets).map(([name, score]) => row(name, before.sets[name], score));
  return `<div class="scroll"><table><thead><tr><th>dataset</th><th>n</th><th>DSC before</th><th>after</th><th>box IoU before</th><th>after</th><th>from true box before</th><th>after</th></tr></thead>
<tbody>${rows.join('\n')}${row('all', before, after, true)}</tbody></table></div>`;
}

/** What uPlot takes: the epochs, then the values of each line. A log has both losses of every epoch. */
function plotted(series: TrainingCurve['series']): number[][] {
  const [first] = series;
  return [first?.points.map(([epoch]) => epoch) ?? [], ...series.map(({ points }) => points.map(([, loss]) => loss))];
}

function cell(value: number | undefined): string {
  return value === undefined ? '–' : value.toFixed(1);
}

function figure({ title, truth, before, after, dscBefore, dscAfter }: ReportImage): string {
  const image = (png: Buffer, alt: string) => `<img alt="${alt}" src="data:image/png;base64,${png.toString('base64')}">`;
  return `<figure><div>${image(truth, 'truth')}${image(before, 'before')}${image(after, 'after')}</div>
<figcaption>${escapeHtml(title)}: truth, before (DSC ${(100 * dscBefore).toFixed(0)} %), after (DSC ${(100 * dscAfter).toFixed(0)} %)</figcaption></figure>`;
}

function escapeHtml(text: string): string {
  return printable(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
