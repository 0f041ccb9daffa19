import sharp from 'sharp';
import { phraseColour, resizeImage, resizeMask, type Size } from '../../imaging/index.js';
import { escapeHtml } from '../../util/index.js';
import { fitInto, forEachPixel } from '../gallery/canvas.js';
import type { Example, ExampleAnswer, PhraseMask } from '../gallery/examples.js';

const BOX: Size = { width: 320, height: 320 };

/**
 * Renders a card of the gallery: the image alone, with ground-truth outlines, and with those of each result. The image is
 * embedded once.
 *
 * @param phrases - all phrases of the page, in the order of their colours.
 */
export async function galleryCard(example: Example, phrases: readonly string[]): Promise<string> {
  const { sample, truth, answers, prompt } = example;
  const size = fitInto(sample.image, BOX);
  const { data } = resizeImage(sample.image, size);
  const image = await sharp(data, { raw: { ...size, channels: 3 } })
    // Half the time of the default, for files that are a twentieth larger.
    .webp({ quality: 82, effort: 2 })
    .toBuffer();
  const pane = (name: string, mask?: string) =>
    `<div class="pane" role="img" aria-label="${escapeHtml(`${sample.id}: ${name}`)}" style="aspect-ratio:${size.width} / ${size.height}">${mask === undefined ? '' : `<img alt="" src="${mask}">`}<span>${escapeHtml(name)}</span></div>`;
  const panels = await Promise.all(
    [{ name: 'truth', masks: truth }, ...answers].map(async ({ name, masks }) => pane(name, await layer(masks, size, phrases))),
  );
  const last = answers.at(-1);
  const words = `${sample.id} ${sample.group ?? ''} ${prompt}`.toLowerCase();
  return `<article class="card" data-dsc="${fixed(last?.dsc ?? 0)}" data-dataset="${escapeHtml(sample.dataset)}" data-false-negative="${last?.falseNegative ?? true}" data-text="${escapeHtml(words)}">
<div class="panes" style="--panes:${panels.length + 1};--image:url(data:image/webp;base64,${image.toString('base64')})">${pane('image')}${panels.join('')}</div>
<p>${answers.map((answer) => scores(answer, answers.length > 1)).join(' · ')} <span>${escapeHtml(sample.dataset)} / ${escapeHtml(sample.id)}</span><br><small>${escapeHtml(prompt)} ${targets(last, phrases)}</small></p></article>`;
}

function scores({ name, dsc, iou, falseNegative }: ExampleAnswer, named: boolean): string {
  return `${named ? `${escapeHtml(name)} ` : ''}<b>DSC ${fixed(dsc)}</b> IoU ${fixed(iou)}${falseNegative ? ' <b class="false-negative">false negative</b>' : ''}`;
}

/** The scores by structure, if the image shows several. */
function targets(answer: ExampleAnswer | undefined, phrases: readonly string[]): string {
  const rows = answer?.rows ?? [];
  if (rows.length < 2) return '';
  return rows.map(({ target, dsc }) => `${phraseKey(target, phrases)} ${fixed(dsc)}`).join(' ');
}

/** A phrase with a dot in its colour. */
export function phraseKey(phrase: string, phrases: readonly string[]): string {
  return `<span class="key"><i style="background:rgb(${phraseColour(phrases, phrase).join(' ')})"></i>${escapeHtml(phrase)}</span>`;
}

function fixed(fraction: number): string {
  return (100 * fraction).toFixed(1);
}

/** Masks as a transparent image: tints below outlines; the first mask is topmost. */
async function layer(masks: readonly PhraseMask[], size: Size, phrases: readonly string[]): Promise<string> {
  const { width, height } = size;
  const data = new Uint8Array(width * height * 4);
  const drawn = [...masks]
    .reverse()
    .map(({ phrase, mask }) => ({ mask: resizeMask(mask, size), colour: phraseColour(phrases, phrase) }));
  for (const [edges, alpha] of [
    [false, 70],
    [true, 255],
  ] as const)
    for (const { mask, colour } of drawn)
      forEachPixel(mask, (x, y, edge) => {
        if (edge === edges) data.set([...colour, alpha], (y * width + x) * 4);
      });
  const png = await sharp(data, { raw: { width, height, channels: 4 } })
    // As many colours as there are: nothing to dither.
    .png({ palette: true, colours: 2 + 2 * masks.length, dither: 0 })
    .toBuffer();
  return `data:image/png;base64,${png.toString('base64')}`;
}
