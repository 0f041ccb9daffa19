import { publishedKidneyPrompts } from '../published/figures.js';
import type { StructureRobustness, WordingScore } from '../robustness/robustness-summary.js';
import type { Wordings } from '../robustness/wordings.js';
import { meanStd } from './figures.js';
import type { Table, TableRow } from './table.js';

/** The paper's prompts for a dataset's kidney structures, keyed by the dataset's own phrases. */
export function kidneyWordings(phrases: readonly string[]): Wordings {
  return new Map(
    phrases.flatMap((phrase) => {
      const key = Object.keys(publishedKidneyPrompts).find((structure) => phrase.toLowerCase().includes(structure));
      const prompts = key === undefined ? undefined : publishedKidneyPrompts[key];
      return prompts === undefined ? [] : [[phrase, prompts.map(({ prompt }) => prompt)] as const];
    }),
  );
}

/** The paper's table 5: prompts for the kidney. */
export function kidneyTable(robustness: readonly StructureRobustness[]): Table {
  const rows = Object.entries(publishedKidneyPrompts).flatMap(([structure, prompts]) => {
    const own = robustness.find((one) => one.structure.toLowerCase().includes(structure));
    return prompts.map(({ prompt, dsc, dscStd, iou, iouStd }): TableRow => {
      const found: WordingScore | undefined = own?.wordings.find(({ wording }) => wording === prompt);
      return {
        cells: [
          structure,
          prompt,
          `${dsc.toFixed(2)} ± ${dscStd ?? ''}`,
          iou === undefined ? null : `${iou.toFixed(2)} ± ${iouStd ?? ''}`,
          meanStd(found?.paper.dsc, found?.paper.std),
          meanStd(found?.paper.iou, found?.paper.iouStd),
          meanStd(found?.dsc, found?.std),
          found?.n ?? null,
          found?.falseNegatives ?? null,
          found === undefined ? 'not evaluated: no image shows it' : null,
        ],
      };
    });
  });
  return {
    id: 'table-5',
    title: 'Table 5 of the paper, prompts for the kidney: DSC and IoU in percent, mean ± std',
    columns: [
      'structure',
      'prompt',
      'published DSC',
      'published IoU',
      'DSC paper',
      'IoU paper',
      'DSC strict',
      'n',
      'false negatives',
      'remark',
    ],
    rows,
    notes: [
      'In the published data the ground truth of cortex, medulla and central echo complex is the same union of regions, so the published figures do not show whether the model distinguishes the structures; most of its test images were also seen in training under another structure’s name.',
      'Published figures exclude images with a false negative.',
    ],
  };
}
