import { createHash } from 'node:crypto';
import { escapeHtml } from '../../util/index.js';
import type { FileEntry } from '../file-entry.js';
import type { Figure } from './figures.js';
import { SCRIPT, STYLE } from './look.js';

/** A file on the page. */
export interface PageEntry {
  readonly entry: FileEntry;
  readonly figure: Figure;
}

const DOUBTS = {
  region: 'the outline of the scan was guessed',
  text: 'something that may be text was blanked',
  whole: 'the scan fills the image: nothing outside of it was blanked',
} as const;

const SOURCES = {
  header: 'scan regions of the header',
  motion: 'scan region found by what moves',
  texture: 'scan region found by the texture of echoes',
} as const;

/**
 * One page of the report, complete in itself: it loads nothing, and its text holds nothing from the files. The images before show
 * what was burnt into them.
 *
 * @param links - further pages.
 */
export function reportPage(entries: readonly PageEntry[], summary: string, links: readonly string[]): string {
  const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  const nav = links.map((link) => `<li><a href="${link}">${link}</a></li>`).join('');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src ${hash(STYLE)}; script-src ${hash(SCRIPT)}">
<title>De-identified images</title><style>${STYLE}</style></head><body>
<h1>De-identified images</h1>
<p>${escapeHtml(summary)}</p>
<p class="warning">The images on the left show what was burnt into the originals. Keep this page where the originals are kept.</p>
<p>Blue: the scan region, outside of which everything was blanked. Yellow: text that was found and blanked. Red: perhaps text, blanked too.
Look at each image on the right: is there a name, a number or a date left? Is echo missing?</p>
${nav === '' ? '' : `<nav><p>Further pages, ${entries.length > 0 ? 'besides the images below' : 'with all images'}:</p><ul>${nav}</ul></nav>`}
<p><button id="save" type="button">Save what was confirmed</button> <span id="count"></span></p>
${entries.map(section).join('\n')}
<script>${SCRIPT}</script></body></html>
`;
}

function section({ entry, figure }: PageEntry): string {
  const { output, kind, frames, framesSearched, region, text, doubts } = entry;
  const size = `width="${figure.width}" height="${figure.height}"`;
  const facts = [
    SOURCES[region.source],
    `${Math.round(100 * region.share)}% of the image kept`,
    `${text.length} text box${text.length === 1 ? '' : 'es'}`,
    ...(frames > 1 ? [`${frames} frames, ${framesSearched} of them searched`] : []),
    ...(kind === 'dicom' ? ['DICOM'] : []),
  ];
  const look = doubts.map((doubt) => `<li>${DOUBTS[doubt]}</li>`).join('');
  return `<section class="${doubts.length > 0 ? 'doubt' : ''}"><h2>${escapeHtml(output)}</h2>
<p>${facts.join(', ')}</p>${look === '' ? '' : `<p><b>Uncertain:</b></p><ul>${look}</ul>`}
<div class="pair"><figure><img ${size} alt="before" src="${figure.before}"><figcaption>before</figcaption></figure>
<figure><img ${size} alt="after" src="${figure.after}"><figcaption>after</figcaption></figure></div>
<p class="choice"><label><input type="radio" name="${escapeHtml(output)}" value="good"> nothing identifies the patient, the scan is whole</label>
<label><input type="radio" name="${escapeHtml(output)}" value="bad"> something is wrong</label></p></section>`;
}
