import { describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { comparisonFigure } from '../../src/eval/gallery/comparison-figure.js';
import { colouredPhrases, type Example, exampleOf, type PhraseMask } from '../../src/eval/gallery/examples.js';
import { evaluationPage } from '../../src/eval/page/evaluation-page.js';
import { galleryCard } from '../../src/eval/page/gallery-html.js';
import { PALETTE, phraseColour } from '../../src/imaging/palette.js';
import { planPrompt, surveyDatasets, type TargetRow } from '../../src/protocols/index.js';
import { answered, datasetOf, methodOf, object, rectangle, sample } from '../support/eval.js';

const CYST = [2, 2, 12, 12] as const;
const NERVE = [20, 8, 36, 24] as const;
const shown: readonly PhraseMask[] = [
  { phrase: 'cyst', mask: rectangle(CYST) },
  { phrase: 'nerve', mask: rectangle(NERVE) },
];
const none = { dsc: 0, iou: 0, falseNegative: false, rows: [] };
/** Before, the two were taken for each other; after, all is right. The order of the masks says nothing. */
const example: Example = {
  sample: sample('s', [object('cyst', CYST), object('nerve', NERVE)]),
  prompt: 'cyst. nerve.',
  truth: shown,
  answers: [
    { ...none, name: 'before', masks: [{ phrase: 'nerve', mask: rectangle(CYST) }] },
    { ...none, name: 'after', masks: [...shown].reverse() },
  ],
};
const [first, second] = PALETTE;

type Panel = (box: readonly number[]) => { inside: number[]; edge: number[] };

/** The colours and the opacity of a panel's image at the middle of a box and at its corner. */
async function pixels(panel: string): Promise<Panel> {
  const [, png = ''] = /data:image\/png;base64,([^"]+)/.exec(panel) ?? [];
  const { data, info } = await sharp(Buffer.from(png, 'base64')).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  const scale = info.width / 40;
  const at = (x: number, y: number) => [
    ...data.subarray((Math.round(y * scale) * info.width + Math.round(x * scale)) * 4).subarray(0, 4),
  ];
  return ([x0 = 0, y0 = 0, x1 = 0, y1 = 0]) => ({ inside: at((x0 + x1) / 2, (y0 + y1) / 2), edge: at(x0 + 0.1, y0 + 0.1) });
}

describe('a card of the gallery', () => {
  it('gives a phrase one colour in every panel, whichever order its masks are in', async () => {
    const html = await galleryCard(example, ['cyst', 'nerve']);
    const panels = html.split('<div class="pane"').slice(2);
    expect(panels).toHaveLength(3);
    const [truth, before, after] = (await Promise.all(panels.map(pixels))) as [Panel, Panel, Panel];
    for (const panel of [truth, after]) {
      expect(panel(CYST).edge).toEqual([...first, 255]);
      expect(panel(NERVE).edge).toEqual([...second, 255]);
      expect(panel(NERVE).inside.slice(0, 3)).toEqual([...second]);
    }
    // A cyst that is taken for a nerve has the colour of nerves.
    expect(before(CYST).edge).toEqual([...second, 255]);
    expect(before(NERVE).inside[3]).toBe(0);
  });

  it('takes its colours from the whole page, not from its own phrases', async () => {
    const html = await galleryCard(example, ['aorta', 'cyst', 'nerve']);
    const truth = await pixels(html.split('<div class="pane"')[2] ?? '');
    expect(truth(CYST).edge.slice(0, 3)).toEqual([...second]);
  });

  it('has a legend in the same colours', async () => {
    const row = (target: string, seen: boolean) =>
      ({ target, shown: seen, predicted: 0, dataset: 'toys', image: 's' }) as TargetRow;
    const rows = [row('nerve', true), row('cyst', true), row('aorta', false)];
    expect(colouredPhrases(rows)).toEqual(['cyst', 'nerve']);
    const html = await evaluationPage({
      title: 'a',
      facts: [],
      warnings: [],
      figures: [{ label: 'DSC', value: '1 %', small: '' }],
      tables: [],
      curves: [],
      groups: [{ name: '', rows }],
      examples: (async function* () {
        yield example;
      })(),
      images: 1,
    });
    const [, legend = ''] = /<p class="legend">(.*)<\/p>/.exec(html) ?? [];
    const keys = [...legend.matchAll(/background:rgb\(([\d ]+)\)"><\/i>(\w+)/g)].map(([, colour, phrase]) => [phrase, colour]);
    expect(keys).toEqual([
      ['cyst', first.join(' ')],
      ['nerve', second.join(' ')],
    ]);
  });

  it('shows the ground truth under the name that was asked for where one word stands for all', async () => {
    const one = sample('s', [object('benign', CYST), object('malignant', NERVE)]);
    const dataset = datasetOf([one]);
    const surveys = await surveyDatasets([dataset]);
    const plans = new Map([...surveys].map(([name, survey]) => [name, planPrompt(survey, ['lesion'])]));
    const method = methodOf('ours', () => [answered('lesion', 0.9, CYST)]);
    const place = { split: { dataset, methods: [method] }, index: 0 };
    const made = await exampleOf(place, [{ name: 'prediction', method, rows: [] }], plans, { threshold: 0.3, select: 'all' });
    expect(made.truth.map(({ phrase }) => phrase)).toEqual(['lesion']);
    expect(made.answers[0]?.masks.map(({ phrase }) => phrase)).toEqual(['lesion']);
  });
});

describe('the colours of phrases', () => {
  it('are never shared, however many phrases there are', () => {
    const phrases = Array.from({ length: 60 }, (_, k) => `phrase ${k}`);
    const colours = phrases.map((phrase) => phraseColour(phrases, phrase));
    expect(colours.slice(0, PALETTE.length)).toEqual(PALETTE);
    expect(new Set(colours.map(String)).size).toBe(60);
    for (const channel of colours.flat())
      expect([channel >= 0, channel <= 255, Number.isInteger(channel)]).toEqual([true, true, true]);
  });
});

describe('the comparison figure', () => {
  it('gives a phrase one colour in the columns of all methods and in the ground truth', async () => {
    const png = await comparisonFigure([{ dataset: 'toys', example }], ['before', 'after']);
    const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
    /** How many pixels of a column (image, before, after, truth) have a colour. */
    const count = (column: number, colour: readonly number[]) => {
      let found = 0;
      for (let y = 0; y < info.height; y++)
        for (let x = 120 + column * 248; x < 120 + column * 248 + 240; x++)
          if (colour.every((value, c) => data[(y * info.width + x) * info.channels + c] === value)) found += 1;
      return found;
    };
    expect([0, 1, 2, 3].map((column) => count(column, first) > 50)).toEqual([false, false, true, true]);
    expect([0, 1, 2, 3].map((column) => count(column, second) > 50)).toEqual([false, true, true, true]);
  });
});
