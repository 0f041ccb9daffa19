import { describe, expect, it } from '@jest/globals';
import { collect, type MethodSummary, markdownTable, summariseProtocol, type Table } from '../../src/eval/index.js';
import { paperDataset, paperDatasets } from '../../src/eval/published/datasets.js';
import { publishedAverages, publishedKidneyPrompts, publishedOurs } from '../../src/eval/published/figures.js';
import { csvText } from '../../src/eval/tables/csv.js';
import { kidneyTable, kidneyWordings } from '../../src/eval/tables/kidney-table.js';
import { paperScoreTable } from '../../src/eval/tables/paper-scores.js';
import { latexTable } from '../../src/eval/tables/table.js';
import { mean } from '../../src/metrics/index.js';
import { answered, datasetOf, methodOf, object, plain, sample } from '../support/eval.js';

async function summaryOf(dataset: string): Promise<MethodSummary> {
  const method = methodOf('ours', (one, [phrase = '']) => one.objects.map(({ boxXyxyPx }) => answered(phrase, 0.9, boxXyxyPx)));
  const samples = [sample('a', [object('tumor', [2, 2, 9, 9])], { dataset })];
  const { rows } = await collect([{ dataset: datasetOf(samples, dataset), methods: [method] }], plain);
  const sum = (protocol: 'strict' | 'paper') => summariseProtocol(rows, new Map(), { protocol, names: [dataset], seed: 1 });
  return { method: 'ours', strict: sum('strict'), paper: sum('paper') };
}

describe('the paper’s figures', () => {
  it('have the errors that are said of them, and no others that arithmetic shows', () => {
    const means = (seen: boolean) => {
      const scores = paperDatasets.filter((one) => one.seen === seen).map(({ name }) => publishedOurs[name]);
      const round = (value: number) => value.toFixed(2);
      return [round(mean(scores.map((one) => one?.dsc ?? Number.NaN))), round(mean(scores.map((one) => one?.iou ?? Number.NaN)))];
    };
    expect(publishedAverages.seen.error).toContain(`DSC ${means(true)[0]} and IoU ${means(true)[1]}`);
    expect(publishedAverages.unseen.error).toContain(`DSC ${means(false)[0]} and IoU ${means(false)[1]}`);
    for (const [name, { dsc, iou = 0, error }] of Object.entries(publishedOurs)) {
      const possible = iou <= dsc;
      expect(`${name} ${possible || error !== undefined}`).toBe(`${name} true`);
    }
    expect(Object.keys(publishedOurs)).toEqual(paperDatasets.map(({ name }) => name));
    expect(Object.values(publishedKidneyPrompts).map((prompts) => prompts.length)).toEqual([5, 5, 5, 5]);
  });

  it('are known by every name that data comes under', () => {
    for (const name of ['stu', 'STU-Hospital', 'bus_uclm', 'BUSUCML', 'kidnyus', 'KidneyUS', '105us', 'Luminous'])
      expect(`${name}: ${paperDataset(name)?.name}`).not.toContain('undefined');
    expect(paperDataset('phantom-standard')).toBeUndefined();
    // One name for the other prostate set, one for this: taken for neither.
    expect(paperDataset('muregpro')).toBeUndefined();
  });
});

describe('tables', () => {
  it('keep the rows that cannot be computed, with the reason', async () => {
    const table = paperScoreTable(3, [await summaryOf('stu')]);
    const row = (name: string, method = 'published') =>
      table.rows.find(({ cells }) => cells[0] === name && cells[1] === method)?.cells;
    const nothing = [null, null, null, null];
    expect(row('STU')).toEqual(['STU', 'published', '87.89 ± 6', '78.87 ± 9', ...nothing, 'text', null, null]);
    const perfect = '100.00 ± 0.00';
    expect(row('STU', 'ours')).toEqual(['STU', 'ours', perfect, perfect, perfect, perfect, 1, 0, 'unknown', 'unknown', null]);
    const absent = expect.stringContaining('not evaluated');
    expect(row('BUSI')).toEqual(['BUSI', 'published', '77.79 ± 26', '69.29 ± 27', ...nothing, 'text', null, absent]);
    expect(row('BUSI', 'ours')).toBeUndefined();
    expect(row('mean of datasets')?.slice(2, 4)).toEqual(['78.97†', '71.13†']);
    expect(new Set(table.columns).size).toBe(row('STU')?.length);
    const samus = {
      ...(await summaryOf('stu')),
      method: 'samus (oracle point)',
      given: 'point (oracle)',
      seen: { stu: 'yes' },
    } as const;
    const both = paperScoreTable(3, [await summaryOf('stu'), samus]);
    const ofStu = both.rows.filter(({ cells }) => cells[0] === 'STU').map(({ cells }) => [cells[1], ...cells.slice(-3)]);
    expect(ofStu).toEqual([
      ['published', 'text', null, null],
      ['ours', 'unknown', 'unknown', null],
      ['samus (oracle point)', 'point (oracle)', 'yes', null],
    ]);
    expect(row('mean of breast', 'ours')?.at(-1)).toBe('1 of 8 datasets');
    expect(table.rows.filter(({ total, cells }) => total !== true && cells[1] === 'published')).toHaveLength(15);
    const unseen = paperScoreTable(4, [await summaryOf('liver-set')]);
    expect(unseen.rows.map(({ cells }) => cells[0])).toEqual(['BUSBRA', 'TNSCUI', 'Luminous', 'mean of datasets', 'liver-set']);
    // Random weights are in no mean.
    const random = { ...(await summaryOf('stu')), method: 'samus, random weights', untrained: { stu: 10 } };
    const rows = paperScoreTable(3, [random]).rows.filter(({ cells }) => cells[1] === random.method);
    expect(rows.map(({ cells }) => cells.slice(0, 8))).toEqual([
      ['STU', random.method, 'random weights', null, 'random weights', null, 10, null],
    ]);
    expect(unseen.notes.join(' ')).toContain('BUSBRA');
    // Rows with the same note share it.
    const twice = paperScoreTable(3, [random, { ...random, method: 'samus, random weights (again)' }]).notes;
    expect(twice.filter((note) => note.includes('the weights are random'))).toEqual([
      expect.stringMatching(/^samus, random weights; samus, random weights \(again\): /),
    ]);
    const kidney = kidneyTable([]);
    expect(kidney.rows).toHaveLength(20);
    expect(kidney.rows.every(({ cells }) => String(cells.at(-1)).startsWith('not evaluated'))).toBe(true);
    const score = { dsc: 70, std: 5, iou: 60, n: 9, falseNegatives: 2, paper: { dsc: 90, std: 1, iou: 82, iouStd: 2, n: 7 } };
    const wordings = [{ wording: 'delineate cortex', ...score }];
    const measured = kidneyTable([
      { dataset: 'kidneyus', structure: 'kidney cortex', wordings, spread: 0, std: 0, consistency: 100 },
    ]);
    expect(measured.rows.filter(({ cells }) => cells.at(-1) === null).map(({ cells }) => cells)).toEqual([
      ['cortex', 'delineate cortex', '72.04 ± 11', '57.32 ± 12', '90.00 ± 1.00', '82.00 ± 2.00', '70.00 ± 5.00', 9, 2, null],
    ]);
    expect(kidneyWordings(['kidney cortex', 'liver']).get('kidney cortex')).toHaveLength(5);
  });

  const table: Table = {
    id: 'a_table',
    title: '50 % of it',
    columns: ['name', 'DSC'],
    rows: [{ cells: ['a|b "c", d', 12.5] }, { cells: ['x_y', '1.00 ± 0.50'] }, { cells: ['none', null], total: true }],
    notes: ['A & B'],
  };

  it('are Markdown, CSV and LaTeX', () => {
    expect(markdownTable(table)).toBe(
      [
        '**50 % of it**',
        '',
        '| name        | DSC         |',
        '| ----------- | ----------: |',
        '| a\\|b "c", d | 12.50       |',
        '| x_y         | 1.00 ± 0.50 |',
        '| **none**    |             |',
        '',
        '- A & B',
        '',
      ].join('\n'),
    );
    expect(csvText([['a|b "c", d', 12.5, null, undefined, Number.NaN, 'two\nlines']])).toBe(
      '"a|b ""c"", d",12.5,,,,"two\nlines"\r\n',
    );
    const latex = latexTable(table);
    expect(latex).toContain('\\caption{50 \\% of it}');
    expect(latex).toContain('\\begin{tabular}{lr}');
    expect(latex).toContain('x\\_y & 1.00 $\\pm$ 0.50 \\\\');
    expect(latex).toContain('\\midrule\n\\textbf{none} &  \\\\');
    expect(latex).toContain('A \\& B');
  });

  it('cannot start a formula in a spreadsheet', () => {
    expect(csvText([['=1+1', '@x', '-3.5', -2, '+1', '- a']])).toBe("'=1+1,'@x,-3.5,-2,+1,'- a\r\n");
  });

  it.each([
    "-2+3+cmd|' /C calc'!A0",
    '+1+1',
    '-1e5x',
    '-1.2.3',
    '@SUM(1)',
    '\t=1+1',
    '\r=1+1',
    '\n=1+1',
    '  =1+1',
    '\u00a0=1+1',
    '\ufeff=1+1',
    '\u200b=1+1',
    '"=1+1',
    ' " =1+1"',
    '＝1+1',
    '＋1',
    '－2',
    '＠SUM(1)',
    '﹦1',
    '\ttab',
  ])('escapes a cell that would start with %j', (text) => {
    const line = csvText([[text]]);
    expect(line.replace(/^"/, '')).toMatch(/^'/);
  });

  it('keeps numbers and plain words as they are', () => {
    expect(csvText([['-3', '+0.5', '-.5', '1e-7', '-2.5E+3', '12', 'a=b', 'x@y', '3 - 2']])).toBe(
      '-3,+0.5,-.5,1e-7,-2.5E+3,12,a=b,x@y,3 - 2\r\n',
    );
    expect(csvText([[Number.NEGATIVE_INFINITY]])).toBe('-Infinity\r\n');
  });

  it('cannot start one after a semicolon, at which some spreadsheets divide lines', () => {
    expect(csvText([['a;=1+1', 'b\t=1+1']])).toBe('"a;=1+1","b\t=1+1"\r\n');
  });
});
