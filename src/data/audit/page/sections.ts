import { counted } from '../../../util/index.js';
import type { Split } from '../../coco.js';
import { ALIKE } from '../twins.js';
import type { AuditReport, DatasetSummary, ImageLocation, Problem, SharedGroup, SplitSummary, Twins } from '../types.js';
import { type Html, html } from './html.js';
import type { PageImage } from './page-images.js';

const SPLITS: readonly Split[] = ['train', 'val', 'test'];

/** Rows at which a list is cut; `audit.json` has all of them. */
const ROWS = 300;

/** Summary of the findings, in one sentence. */
export function headline({ errors, warnings, images, datasets }: AuditReport): Html {
  const state =
    errors > 0 ? html`<span class="error">${counted(errors, 'error')}</span>` : html`<span class="good">no errors</span>`;
  const sets = counted(datasets.length, 'dataset');
  return html`<p class="lead">${counted(images, 'image')} in ${sets}: ${state}, ${counted(warnings, 'warning')}.</p>`;
}

/** Counts of all datasets beside the paper's. */
export function countsTable({ datasets }: AuditReport): Html {
  const head = SPLITS.map((split) => html`<th class="n">${split}</th><th class="n">paper</th>`);
  return html`<h2 id="counts">Counts, compared with the paper's Table 1</h2>
<p class="muted">The paper counts files after its own preparation, which split rows without regard to patients and had name collisions. Differences are expected.</p>
<div class="scroll"><table><thead><tr><th>dataset</th><th>in Table 1</th>${head}<th class="n">objects</th><th class="n">patients or volumes</th></tr></thead><tbody>
${datasets.map(countsRow)}</tbody></table></div>`;
}

function countsRow({ name, splits, paper }: DatasetSummary): Html {
  const cells = SPLITS.map((split) => {
    const own = splits[split]?.images;
    return html`<td class="n">${own ?? '–'}</td><td class="n muted">${paper?.[split] ?? '–'}</td>`;
  });
  const present = SPLITS.flatMap((split) => splits[split] ?? []);
  const objects = present.reduce((sum, split) => sum + split.objects, 0);
  const known = present.some(({ groups }) => groups !== null);
  const groups = known ? present.map((split) => split.groups ?? '–').join(' / ') : 'unknown';
  return html`<tr><td><a href="#set-${name}">${name}</a></td><td>${paper?.name ?? '–'}</td>${cells}<td class="n">${objects}</td><td class="n">${groups}</td></tr>`;
}

/** Labels, sizes and samples of a dataset. */
export function datasetSection(summary: DatasetSummary, samples: readonly SampleFigure[]): Html {
  const present = SPLITS.filter((split) => summary.splits[split] !== undefined);
  return html`<h2 id="set-${summary.name}">${summary.name}</h2>
${labelsTable(summary, present)}
${present.map((split) => splitSamples(split, summary.splits[split] as SplitSummary, samples))}`;
}

/** A sample image of a split. */
export interface SampleFigure {
  readonly split: Split;
  readonly caption: string;
  readonly image: PageImage | undefined;
}

function labelsTable({ splits }: DatasetSummary, present: readonly Split[]): Html {
  const labels = [...new Set(present.flatMap((split) => Object.keys(splits[split]?.labels ?? {})))];
  const totals = present.map((split) => splits[split]?.objects ?? 0);
  const rows = labels.map((label) => {
    const cells = present.map((split, i) => {
      const count = splits[split]?.labels[label];
      const share = count === undefined || totals[i] === 0 ? 0 : count.objects / (totals[i] as number);
      return html`<td class="n">${count?.objects ?? 0}</td><td><span class="bar" style="width:${(share * 6).toFixed(2)}rem"></span> ${(share * 100).toFixed(0)} %</td>`;
    });
    return html`<tr><td>${label}</td>${cells}</tr>`;
  });
  const negatives = present.map(
    (split) => html`<td class="n">${splits[split]?.negatives ?? 0}</td><td class="muted">images</td>`,
  );
  return html`<h3>Objects</h3><div class="scroll"><table><thead><tr><th>phrase</th>${present.map((split) => html`<th class="n">${split}</th><th>share</th>`)}</tr></thead><tbody>${rows}
<tr><td class="muted">without an object</td>${negatives}</tr></tbody></table></div>`;
}

function splitSamples(split: Split, { images, sizes, unreadable }: SplitSummary, samples: readonly SampleFigure[]): Html {
  const list = Object.entries(sizes);
  const text = list
    .slice(0, 4)
    .map(([size, count]) => `${size} (${count})`)
    .join(', ');
  const more = list.length > 4 ? `, and ${list.length - 4} other sizes` : '';
  const bad = unreadable > 0 ? html` <span class="error">${unreadable} cannot be read.</span>` : undefined;
  const figures = samples.filter((sample) => sample.split === split).map(({ caption, image }) => figure(image, caption));
  return html`<h3>${split}: ${counted(images, 'image')}</h3><p class="muted">${text}${more}${bad}</p><div class="samples">${figures}</div>`;
}

/** All problems with single files, by name. */
export function problemsSection(problems: readonly Problem[]): Html {
  if (problems.length === 0) return html`<h2 id="problems">Problems</h2><p>None.</p>`;
  const rows = problems
    .slice(0, ROWS)
    .map(
      ({ level, dataset, split, file, what }) =>
        html`<tr><td class="${level}">${level}</td><td>${dataset}</td><td>${split}</td><td><code>${file}</code></td><td>${what}</td></tr>`,
    );
  return html`<h2 id="problems">Problems</h2><div class="scroll"><table><thead><tr><th></th><th>dataset</th><th>split</th><th>file</th><th>problem</th></tr></thead><tbody>${rows}</tbody></table></div>${cut(problems.length)}`;
}

/** Patients and volumes in more than one split. */
export function groupsSection(groups: readonly SharedGroup[]): Html {
  if (groups.length === 0) return html`<h2 id="groups">Patients and volumes in more than one split</h2><p>None.</p>`;
  const rows = groups
    .slice(0, ROWS)
    .map(
      ({ dataset, group, splits }) =>
        html`<tr><td class="error">error</td><td>${dataset}</td><td><code>${group}</code></td>${SPLITS.map((split) => html`<td class="n">${splits[split] ?? '–'}</td>`)}</tr>`,
    );
  return html`<h2 id="groups">Patients and volumes in more than one split</h2><div class="scroll"><table><thead><tr><th></th><th>dataset</th><th>patient or volume</th>${SPLITS.map((split) => html`<th class="n">${split}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div>${cut(groups.length)}`;
}

/** A pair of images side by side. */
export interface TwinsFigure {
  readonly twins: Twins;
  readonly a: PageImage | undefined;
  readonly b: PageImage | undefined;
}

/** Identical images in two places. */
export function twinsSection(total: number, shown: readonly TwinsFigure[], rest: readonly Twins[]): Html {
  if (total === 0) return html`<h2 id="duplicates">Duplicate images</h2><p>None.</p>`;
  const pairs = shown.map(
    ({ twins, a, b }) => html`<p><span class="${twins.level}">${twins.level}</span> ${how(twins)}</p>
<div class="pair">${figure(a, nameOf(twins.a))}${figure(b, nameOf(twins.b))}</div>`,
  );
  const rows = rest
    .slice(0, ROWS)
    .map(
      (twins) =>
        html`<tr><td class="${twins.level}">${twins.level}</td><td><code>${nameOf(twins.a)}</code></td><td><code>${nameOf(twins.b)}</code></td><td>${how(twins)}</td></tr>`,
    );
  const table =
    rows.length === 0
      ? undefined
      : html`<h3>Further pairs</h3><div class="scroll"><table><tbody>${rows}</tbody></table></div>${cut(rest.length)}`;
  return html`<h2 id="duplicates">Duplicate images</h2>
<p class="muted">${counted(total, 'pair')}. A similar image is listed with its nearest counterpart only. The hashes of copies differ in up to ${ALIKE} of 255 bits, those of unrelated images usually in 90 to 120.</p>
${pairs}${table}`;
}

function how({ kind, distance, mirrored }: Twins): string {
  if (kind === 'exact') return 'the same pixels';
  return `similar (${distance} of 255 bits differ)${mirrored === 'no' ? '' : `, mirrored ${mirrored}`}`;
}

function nameOf({ dataset, split, file }: ImageLocation): string {
  return `${dataset} ${split}: ${file}`;
}

function figure(image: PageImage | undefined, caption: string): Html {
  const content =
    image === undefined
      ? html`<p class="error">cannot be displayed</p>`
      : html`<img src="${image.source}" width="${image.width}" height="${image.height}" alt="${caption}">`;
  return html`<figure>${content}<figcaption>${caption}</figcaption></figure>`;
}

function cut(count: number): Html | undefined {
  return count > ROWS ? html`<p class="muted">${count - ROWS} more are in audit.json.</p>` : undefined;
}
