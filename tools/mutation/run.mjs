/**
 * `npm run mutate [-- AREA...]`: changes the code of an area in one place at a time, and reports the changes that its tests do
 * not detect. Not part of `npm test`: it takes hours. Results, including an HTML report, are written to .cache/mutation/AREA/.
 *
 *   npm run mutate                           all areas of areas.mjs
 *   npm run mutate -- metrics detections     some of them
 *   npm run mutate -- nn --share 0.1         a tenth of the mutants
 *   npm run mutate -- metrics --only src/metrics/roc.ts
 *   npm run mutate -- metrics --only src/metrics/roc.ts:1-40   some of its lines
 */
import { existsSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';
import jestConfig from '../../jest.config.js';
import { root } from '../../scripts/lib/places.mjs';
import { main, SetupError, say } from '../../scripts/lib/say.mjs';
import { AREAS } from './areas.mjs';
import { NOT_DRAWN } from './sample.mjs';

const CACHE = join('.cache', 'mutation');

/** Statuses of a detected mutant: a test failed or timed out. */
const NOTICED = ['Killed', 'Timeout'];
const UNNOTICED = ['Survived', 'NoCoverage'];

await main(async () => {
  const { positionals, ...options } = readArguments();
  const names = positionals.length > 0 ? positionals : Object.keys(AREAS);
  const unknown = names.filter((name) => !Object.hasOwn(AREAS, name));
  if (unknown.length > 0) throw new SetupError(`no area ${unknown.join(', ')}; there are ${Object.keys(AREAS).join(', ')}`);
  process.chdir(root);
  const lines = [];
  for (const name of names) {
    rmSync(join(CACHE, name), { recursive: true, force: true });
    const mutants = [];
    for (const [at, group] of groupsOf(AREAS[name], options.only).entries()) {
      say(`mutants of ${name}: ${group.mutate.join(', ')}`);
      mutants.push(...(await mutate(join(CACHE, name, String(at + 1)), group, options.share ?? AREAS[name].share ?? 1, options)));
    }
    if (mutants.length === 0) throw new SetupError(`nothing was mutated in ${(options.only ?? [name]).join(', ')}`);
    lines.push(summary(name, mutants));
    for (const mutant of mutants.filter(({ status }) => UNNOTICED.includes(status))) lines.push(`  ${sentence(mutant)}`);
  }
  process.stdout.write(`\n${lines.join('\n')}\n`);
});

function readArguments() {
  const number = (name, text, isRight, expected) => {
    const value = Number(text);
    if (!isRight(value)) throw new SetupError(`--${name} ${text}: expected ${expected}`);
    return value;
  };
  try {
    const { positionals, values: given } = parseArgs({
      allowPositionals: true,
      options: {
        only: { type: 'string', multiple: true },
        share: { type: 'string' },
        seed: { type: 'string', default: '1' },
        workers: { type: 'string', default: '1' },
      },
    });
    return {
      ...given,
      positionals,
      share: given.share && number('share', given.share, (value) => value > 0 && value <= 1, 'a part of 1'),
      workers: number('workers', given.workers, (value) => Number.isInteger(value) && value > 0, 'an integer from 1 on'),
    };
  } catch (error) {
    throw error.code?.startsWith('ERR_PARSE_ARGS') ? new SetupError(error.message.split(/\n|\. To specify/)[0]) : error;
  }
}

/** The groups of an area, with the files, or the lines of files, of `only` alone. */
function groupsOf({ groups }, only) {
  const chosen = (file) => only?.filter((one) => one === file || one.startsWith(`${file}:`)) ?? [file];
  return groups.map((group) => ({ ...group, mutate: group.mutate.flatMap(chosen) })).filter(({ mutate }) => mutate.length > 0);
}

async function mutate(folder, { mutate: files, tests }, share, { workers, seed }) {
  const page = join(folder, 'index.html');
  const mutants = await new Stryker({
    mutate: files,
    testRunner: 'jest',
    // Tests are native ES modules.
    testRunnerNodeArgs: ['--experimental-vm-modules', '--no-warnings'],
    plugins: ['@stryker-mutator/jest-runner', pathToFileURL(join(root, 'tools', 'mutation', 'sample.mjs')).href],
    jest: {
      projectType: 'custom',
      enableFindRelatedTests: false,
      config: {
        ...jestConfig,
        // Jest lists the files of its roots again for each mutant.
        roots: [...new Set(tests.map((glob) => `<rootDir>/${dirname(glob)}`))],
        testMatch: tests.map((glob) => `<rootDir>/${glob}`),
        maxWorkers: 1,
        watchman: false,
      },
    },
    coverageAnalysis: 'perTest',
    concurrency: workers,
    // Node never frees a context in which an ES module ran: see jest.config.js.
    maxTestRunnerReuse: 60,
    // An endless loop costs this long, a slow machine four times the time of the first run.
    timeoutMS: 15_000,
    timeoutFactor: 4,
    checkers: share < 1 ? ['sample'] : [],
    sample: { share, seed },
    warnings: { unknownOptions: false },
    ignorePatterns: ['/*', '!/src', '!/test', '!/scripts', '!/weights', '!/package.json', '!/jest.config.js', '!/native'],
    tempDirName: join(CACHE, 'sandbox'),
    reporters: ['html', 'json', 'progress-append-only'],
    htmlReporter: { fileName: page },
    jsonReporter: { fileName: join(folder, 'report.json') },
    disableTypeChecks: false,
    tsconfigFile: 'none',
    allowConsoleColors: false,
    logLevel: 'warn',
  }).runMutationTest();
  if (!existsSync(page)) throw new SetupError(`nothing was mutated in ${files.join(', ')}`);
  return mutants.filter(({ statusReason }) => statusReason !== NOT_DRAWN);
}

function summary(name, mutants) {
  const count = (...statuses) => mutants.filter(({ status }) => statuses.includes(status)).length;
  const [noticed, unnoticed] = [count(...NOTICED), count(...UNNOTICED)];
  const score = ((100 * noticed) / (noticed + unnoticed)).toFixed(1);
  const failed = count('CompileError', 'RuntimeError');
  const rest = failed > 0 ? `, ${failed} that do not run` : '';
  return `${name}: ${score} % of ${noticed + unnoticed} mutants noticed; ${count('Survived')} survived, ${count('NoCoverage')} not covered${rest}`;
}

function sentence({ fileName, location: { start }, mutatorName, replacement, status }) {
  const where = `${relative(root, fileName)}:${start.line}:${start.column}`;
  const what = replacement.replace(/\s+/g, ' ').slice(0, 90);
  return `${where} ${mutatorName} -> ${what}${status === 'NoCoverage' ? ' (not covered)' : ''}`;
}
