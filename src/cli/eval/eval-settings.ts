import { readWordings } from '../../eval/index.js';
import { PromptTokenizer, respelt, splitPrompt } from '../../prompts/index.js';
import { UsageError } from '../../util/index.js';
import { type EvaluateRunOptions, paperFigures, paperTables } from '../../workflows/index.js';
import { consoleLogger } from '../console-logger.js';
import { precisionOf } from '../options.js';
import type { EvalOptions } from './eval-options.js';
import { methodRequests, pointsOf, refuseWithoutTaker, supportOf } from './method-options.js';
import { parseTolerance } from './tolerance.js';

/**
 * The settings of an evaluation.
 *
 * @throws UsageError naming the option whose value is wrong.
 */
export async function evalSettings(argv: EvalOptions): Promise<Omit<EvaluateRunOptions, 'backend'>> {
  const { calibrate } = argv;
  if (calibrate !== undefined && !(calibrate >= 0 && calibrate < 1))
    throw new UsageError({
      code: 'E_OPTION_VALUE',
      where: '--calibrate',
      what: `${calibrate} is not a rate`,
      fix: 'Give a share from 0 to 1, as in 0.05',
    });
  if (calibrate !== undefined && precisionOf(argv.precision) !== undefined)
    throw new UsageError({
      code: 'E_OPTION_CONFLICT',
      where: '--calibrate',
      what: `the threshold is stored with the model for float32, and scores in ${argv.precision} differ`,
      fix: 'Leave --precision out',
    });
  refuseWithoutTaker(argv.method, 'point', { point: argv.point, 'point-seed': argv.pointSeed });
  refuseWithoutTaker(argv.method, 'exemplars', { support: argv.support, 'support-seed': argv.supportSeed });
  return {
    split: argv.split,
    adapter: argv.adapter,
    precision: precisionOf(argv.precision),
    prompt: argv.prompt === undefined ? undefined : phrases('--prompt', argv.prompt),
    predictions: argv.predictions,
    methods: methodRequests(argv),
    support: supportOf(argv),
    points: pointsOf(argv),
    tables: numbers('--table', argv.table, paperTables),
    figures: numbers('--figure', argv.figure, paperFigures),
    wordings: argv.prompts === undefined ? undefined : await readWordings(argv.prompts),
    negatives: argv.negatives === undefined ? [] : phrases('--negatives', argv.negatives),
    calibrate,
    trust: argv.trust,
    medsam: argv.medsam,
    tolerance: await parseTolerance('--tolerance', argv.tolerance),
  };
}

function phrases(where: string, text: string): readonly string[] {
  if (text.replace(/[.\s]/g, '') === '')
    throw new UsageError({
      code: 'E_PROMPT_TEXT',
      where,
      what: 'it names nothing',
      fix: 'Separate phrases by dots: "benign lesion. cyst."',
    });
  for (const line of respelt(splitPrompt(text))) consoleLogger.info(line);
  return PromptTokenizer.parsePrompt(text);
}

function numbers<T extends number>(where: string, values: readonly number[], known: readonly T[]): T[] {
  return values.map((value) => {
    const found = known.find((one) => one === value);
    if (found === undefined)
      throw new UsageError({
        code: 'E_OPTION_VALUE',
        where,
        what: `there is no ${value} to make`,
        fix: `Choose from ${known.join(', ')}`,
      });
    return found;
  });
}
