/**
 * `npm run mutate [-- AREA...]`: changes the code of an area in one place at a time, and reports the changes that its tests do
 * not detect. Not part of `npm test`: it takes hours. Results, including an HTML report, are written to .cache/mutation/AREA/.
 *
 *   npm run mutate                           all areas of areas.mjs
 *   npm run mutate -- metrics detections     some of them
 *   npm run mutate -- nn --sample 50         fewer mutants than the area has
 *   npm run mutate -- metrics --only src/metrics/roc.ts
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
    const mutants = await mutate(name, AREAS[name], options);
    lines.push(summary(name, mutants));
    for (const mutant of mutants.filter(({ status }) => UNNOTICED.includes(status))) lines.push(`  ${sentence(mutant)}`);
  }
  process.stdout.write(`\n${lines.join('\n')}\n`);
});

function readArguments() {
  const whole = (name, text, least) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least)
      throw new SetupError(`--${name} ${text}: expected an integer from ${least} on`);
    return value;
  };
  try {
    const { positionals, values: given } = parseArgs({
      allowPositionals: true,
      options: {
        only: { type: 'string', multiple: true },
        sample: { type: 'string', default: '0' },
        seed: { type: 'string', default: '1' },
        workers: { type: 'string', default: '1' },
      },
    });
    return {
      ...given,
      positionals,
      sample: whole('sample', given.sample, 0),
      workers: whole('workers', given.workers, 1),
    };
  } catch (error) {
    throw error.code?.startsWith('ERR_PARSE_ARGS') ? new SetupError(error.message.split(/\n|\. To specify/)[0]) : error;
  }
}

async function mutate(name, { mutate: files, tests, sample }, options) {
  say(`mutants of ${name}`);
  const size = options.sample || (sample ?? 0);
  const folder = join(CACHE, name);
  rmSync(folder, { recursive: true, force: true });
  const page = join(folder, 'index.html');
  const mutants = await new Stryker({
    mutate: options.only ?? files,
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
    concurrency: options.workers,
    // Node never frees a context in which an ES module ran: see jest.config.js.
    maxTestRunnerReuse: 60,
    // An endless loop costs this long, a slow machine four times the time of the first run.
    timeoutMS: 15_000,
    timeoutFactor: 4,
    checkers: size > 0 ? ['sample'] : [],
    sample: { size, seed: options.seed },
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
  if (!existsSync(page) || mutants.length === 0)
    throw new SetupError(`nothing was mutated in ${(options.only ?? files).join(', ')}`);
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
