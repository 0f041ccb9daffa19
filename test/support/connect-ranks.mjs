import { createRequire } from 'node:module';
import { launchOf } from '../../dist/cli/launch.js';
import { connect } from '../../dist/train/ranks/index.js';

/**
 * Connects this process with those that a launcher started beside it; undefined for one alone. SONOGROUND_TEST_ADDON names an addon
 * in place of the installed one, for another MPI.
 */
export function connectRanks() {
  const launch = launchOf(process.env);
  const addon = process.env['SONOGROUND_TEST_ADDON'];
  const find = addon && (() => ({ exports: createRequire(import.meta.url)(addon) }));
  return launch && connect(launch, ...(find ? [find] : []));
}
